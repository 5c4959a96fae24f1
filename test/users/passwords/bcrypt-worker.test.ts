import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { hashSync } from 'bcryptjs'
import { afterEach, describe, expect, it, vi } from 'vitest'

const execute = promisify(execFile)
const root = fileURLToPath(new URL('../../..', import.meta.url))

afterEach(() => {
  vi.doUnmock('bcryptjs')
  vi.doUnmock('node:module')
  vi.resetModules()
})

const freshWorker = () => import('../../../lib/users/passwords/bcrypt-worker.js')

describe('bcrypt', () => {
  it('is not computed on the main thread', async () => {
    const hash = hashSync('pa55', 4)
    const onMainThread = () => {
      throw new Error('this would stall every request')
    }
    vi.resetModules()
    vi.doMock('bcryptjs', () => ({ hash: onMainThread, hashSync: onMainThread, compare: onMainThread }))
    const { verifyPassword } = await import('../../../lib/users/passwords/password-hash.js')
    expect(await verifyPassword('pa55', hash)).toBe(true)
    expect(await verifyPassword('pa56', hash)).toBe(false)
  })

  it('gives everybody who asks at the same time the own digest', async () => {
    const { bcryptDigest } = await freshWorker()
    const hashes = ['one', 'two', 'three'].map((password) => hashSync(password, 4))
    const digests = await Promise.all(
      ['one', 'two', 'three'].map((password, index) => bcryptDigest(password, hashes[index]!.slice(0, 29))),
    )
    expect(digests).toEqual(hashes)
  })

  it('fails as a store does when its thread ends, and goes on with another', async () => {
    vi.resetModules()
    const paths = ['/nowhere/bcryptjs', createRequire(import.meta.url).resolve('bcryptjs')]
    vi.doMock('node:module', () => ({ createRequire: () => ({ resolve: () => paths.shift() }) }))
    const { bcryptDigest } = await freshWorker()
    const settings = hashSync('pa55', 4).slice(0, 29)
    const failed = await Promise.allSettled([bcryptDigest('pa55', settings), bcryptDigest('pa56', settings)])
    expect(failed).toMatchObject([
      { status: 'rejected', reason: { name: 'StoreError', cause: { code: 'MODULE_NOT_FOUND' } } },
      { status: 'rejected', reason: { name: 'StoreError' } },
    ])
    expect(await bcryptDigest('pa55', settings)).toBe(hashSync('pa55', settings))
  })

  it('keeps a process alive while somebody waits and no longer, whatever flags it has', async () => {
    const program = `
      import { verifyPassword } from './lib/users/passwords/password-hash.ts'
      const verify = () => verifyPassword('pa55', '${hashSync('pa55', 4)}')
      console.log(await verify(), await verify())
    `
    const flags = ['--import', 'tsx', '--input-type=module', '--eval', program]
    const { stdout } = await execute(process.execPath, flags, { cwd: root, timeout: 50_000 })
    expect(stdout).toBe('true true\n')
  })
})
