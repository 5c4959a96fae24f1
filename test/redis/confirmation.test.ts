import { describe, expect, it } from 'vitest'
import { createConfirmation } from '../../lib/redis/confirmation.js'

/** A client whose replicas answer when the test says so. */
function setUp() {
  const waits: ((count: number) => void)[] = []
  const commands: string[] = []
  const sendCommand = async ([name = '']: readonly string[]): Promise<unknown> => {
    commands.push(name)
    return name === 'WAIT' ? new Promise<number>((resolve) => waits.push(resolve)) : 1
  }
  const confirm = createConfirmation({
    client: { sendCommand } as never,
    replicas: 2,
    timeoutMs: 500,
    keys: ['fence', 'mark'],
    ask: (command) => command(),
  })
  return { confirm, waits, commands }
}

describe('a confirmation by replicas', () => {
  it('begins after the call, and is shared by all who wait for the next one', async () => {
    const { confirm, waits, commands } = setUp()
    const first = confirm()
    await expect.poll(() => waits.length).toBe(1)
    const later = [confirm(), confirm(), confirm()]
    waits[0]!(2)
    await first
    await expect.poll(() => waits.length).toBe(2)
    expect(commands).toEqual(['EVALSHA', 'WAIT', 'EVALSHA', 'WAIT'])
    waits[1]!(3)
    await Promise.all(later)
    expect(waits).toHaveLength(2)
  })

  it('fails with too few replicas for those alone who waited for it', async () => {
    const { confirm, waits } = setUp()
    const first = confirm()
    await expect.poll(() => waits.length).toBe(1)
    const later = confirm()
    waits[0]!(1)
    await expect(first).rejects.toThrow('1 of 2 replicas have what was written in Redis')
    await expect.poll(() => waits.length).toBe(2)
    waits[1]!(2)
    await expect(later).resolves.toBeUndefined()
  })
})
