import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { loadCompiled } from './compiled.js'
import { deliberateFaults } from './deliberate-faults.js'

/** Far more than a busy machine needs. */
const patience = 600_000

/** Runs `npm run simulate`, in a process of its own: its clocks are virtual. */
function simulate(...options: readonly string[]): Promise<{ code: number | null; output: string }> {
  const script = fileURLToPath(new URL('run.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', script, ...options], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, output })))
}

describe('the simulation', () => {
  it('finds nothing in 1 000 histories', { timeout: patience }, async () => {
    const { code, output } = await simulate('--seeds', '1000')
    expect(output).toContain('1000 seeds, nothing found')
    expect(code).toBe(0)
  })

  it('repeats a history to the letter, in another process and after others', { timeout: patience }, async () => {
    const [alone, after] = await Promise.all([
      simulate('--seed', '7', '--trace'),
      simulate('--from', '4', '--seeds', '4', '--trace'),
    ])
    expect(alone.output.split('\n').length).toBeGreaterThan(100)
    expect(after.output.endsWith(alone.output)).toBe(true)
  })

  it.each(deliberateFaults)('finds, put there on purpose: $name', { timeout: patience }, async ({ name }) => {
    const { code, output } = await simulate('--seeds', '1500', '--fault', name)
    expect(output).toMatch(/^property \([a-h]\) at .*\nseed \d+ breaks a promise; to repeat it: npm run simulate/m)
    expect(code).toBe(1)
  })

  it('puts no fault where its text is not there', async () => {
    const change = { file: 'lib/redis/redis-session.ts', from: 'no such text', to: '' }
    await expect(loadCompiled([change])).rejects.toThrow('has not exactly one')
  })
})
