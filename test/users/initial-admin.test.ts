import { execFileSync } from 'node:child_process'
import { chmod, lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type InitialAdminOptions, prepareInitialAdmin } from '../../lib/users/file/open-file-users.js'
import { verifyPassword } from '../../lib/users/passwords/password-hash.js'

let directory = ''
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sallyport-'))
})
afterEach(async () => {
  await rm(directory, { recursive: true })
})

function stderrOf(isTTY: boolean) {
  const shown: string[] = []
  return { isTTY, shown, write: (text: string) => shown.push(text) }
}

async function createInitialAdmin(options: InitialAdminOptions) {
  const admin = await prepareInitialAdmin(options)
  admin.save()
  return admin
}

const passwordFile = () => join(directory, 'initial-admin-password')

// Covers: A11
describe('the first administrator', () => {
  it('gets a random password that is shown on the terminal and nowhere else', async () => {
    const stderr = stderrOf(true)
    const admin = await createInitialAdmin({ directory, stderr })
    expect(admin).toMatchObject({ name: 'admin', isAdmin: true, roles: [], passwordFile: undefined })
    const password = /^ {2}([\w-]+)$/m.exec(stderr.shown.join(''))?.[1] ?? ''
    expect(Buffer.from(password, 'base64url')).toHaveLength(24)
    expect(await verifyPassword(password, admin.password)).toBe(true)
    expect(await readdir(directory)).toEqual([])
  })

  it('gets a password in a file that only the owner can read when there is no terminal', async () => {
    const stderr = stderrOf(false)
    const admin = await createInitialAdmin({ directory, stderr })
    expect(admin.passwordFile).toBe(passwordFile())
    const text = await readFile(passwordFile(), 'utf8')
    expect(await verifyPassword(text.trimEnd(), admin.password)).toBe(true)
    expect((await stat(passwordFile())).mode & 0o777).toBe(0o600)
    expect(stderr.shown).toEqual([])
    expect(await readdir(directory)).toEqual(['initial-admin-password'])
  })

  it('keeps the password of the file, so that a second start does not lock out the first', async () => {
    const stderr = stderrOf(false)
    await createInitialAdmin({ directory, stderr })
    const first = await readFile(passwordFile(), 'utf8')
    const admin = await createInitialAdmin({ directory, stderr })
    expect(await readFile(passwordFile(), 'utf8')).toBe(first)
    expect(await verifyPassword(first.trimEnd(), admin.password)).toBe(true)
  })

  it.each([
    ['can be read by others', 0o644],
    ['can be written by others', 0o622],
  ])('does not take the password of a file that %s', async (_what, mode) => {
    const stderr = stderrOf(false)
    await createInitialAdmin({ directory, stderr })
    const first = await readFile(passwordFile(), 'utf8')
    await chmod(passwordFile(), mode)
    await createInitialAdmin({ directory, stderr })
    expect(await readFile(passwordFile(), 'utf8')).not.toBe(first)
    expect((await stat(passwordFile())).mode & 0o777).toBe(0o600)
  })

  it('does not take the password of a file that it has not written', async () => {
    await writeFile(passwordFile(), 'hunter2\n', { mode: 0o600 })
    await createInitialAdmin({ directory, stderr: stderrOf(false) })
    expect(await readFile(passwordFile(), 'utf8')).not.toBe('hunter2\n')
  })

  it('replaces a link instead of writing through it', async () => {
    const target = join(directory, 'target')
    await writeFile(target, 'untouched')
    await symlink(target, passwordFile())
    await createInitialAdmin({ directory, stderr: stderrOf(false) })
    expect(await readFile(target, 'utf8')).toBe('untouched')
    expect((await lstat(passwordFile())).isSymbolicLink()).toBe(false)
  })

  it('does not take over the rights of a file that was there', async () => {
    await writeFile(passwordFile(), 'old')
    await chmod(passwordFile(), 0o644)
    await createInitialAdmin({ directory, stderr: stderrOf(false) })
    expect((await stat(passwordFile())).mode & 0o777).toBe(0o600)
  })

  it.skipIf(process.platform === 'win32')('does not wait for a pipe of that name, but replaces it', async () => {
    execFileSync('mkfifo', ['-m', '600', passwordFile()])
    await createInitialAdmin({ directory, stderr: stderrOf(false) })
    expect((await stat(passwordFile())).isFile()).toBe(true)
  })

  it('stops the start when the file cannot be written, and leaves nothing behind', async () => {
    const { mkdir } = await import('node:fs/promises')
    await mkdir(join(passwordFile(), 'in-the-way'), { recursive: true })
    await expect(createInitialAdmin({ directory, stderr: stderrOf(false) })).rejects.toMatchObject({
      name: 'ConfigError',
      problems: [{ key: 'internal_apis.users', rule: expect.stringContaining(passwordFile()) }],
    })
    expect(await readdir(directory)).toEqual(['initial-admin-password'])
  })

  it('stops the start when the folder is not there', async () => {
    const missing = join(directory, 'missing')
    await expect(createInitialAdmin({ directory: missing, stderr: stderrOf(false) })).rejects.toMatchObject({
      name: 'ConfigError',
      cause: { code: 'ENOENT' },
    })
  })

  it('never passes through the console', async () => {
    const spies = [vi.spyOn(console, 'log'), vi.spyOn(console, 'error'), vi.spyOn(process.stderr, 'write')]
    await createInitialAdmin({ directory, stderr: stderrOf(false) })
    for (const spy of spies) {
      expect(spy).not.toHaveBeenCalled()
      spy.mockRestore()
    }
  })
})
