import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Config, FileUserConfig } from '../../lib/config/config.js'
import { jsonLogger } from '../../lib/core/logger.js'
import { openUserStore } from '../../lib/users/open-user-store.js'

let directory = ''
let log: string[] = []
let terminal: boolean | undefined
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sallyport-'))
  log = []
  terminal = process.stderr.isTTY
  Object.assign(process.stderr, { isTTY: false })
})
afterEach(async () => {
  Object.assign(process.stderr, { isTTY: terminal })
  await rm(directory, { recursive: true })
})

const user = (name: string, password: string): FileUserConfig => ({ name, password, isAdmin: false, roles: [] })

interface Settings {
  readonly allowDefaultCredentials?: boolean
  readonly isAuthenticated?: boolean
  readonly path?: string
}

/** The fields that decide about users. */
function configOf(users: readonly FileUserConfig[], settings: Settings = {}): Config {
  const { allowDefaultCredentials = false, isAuthenticated = true, path } = settings
  return {
    path,
    fileUsers: { isEnabled: true, allowDefaultCredentials, users },
    managementApi: { isJwtEnabled: isAuthenticated, isBasicEnabled: false },
  } as unknown as Config
}

const open = (config: Config, env: Record<string, string> = {}) =>
  openUserStore(config, { logger: jsonLogger((line) => log.push(line)), home: directory, env })

describe('opening the user store', () => {
  it('takes the users of the file and warns of plain passwords without showing them', async () => {
    const { users } = await open(configOf([user('alice', 'hunter2-secret')]))
    expect((await users.authenticate('alice', 'hunter2-secret')).account?.subject).toBe('alice')
    expect(log.join()).toContain('passwords of alice are in plain text')
    expect(log.join()).not.toContain('hunter2-secret')
  })

  it('makes a first administrator when there is none, and tells where the password is', async () => {
    const { users } = await open(configOf([], { path: join(directory, 'deployment.toml') }))
    const password = (await readFile(join(directory, 'initial-admin-password'), 'utf8')).trimEnd()
    expect((await users.authenticate('admin', password)).account).toMatchObject({ isAdmin: true, roles: ['admin'] })
    expect(log.join()).toContain(join(directory, 'initial-admin-password'))
    expect(log.join()).not.toContain(password)
  })

  it('keeps the first administrator when the file is read again', async () => {
    const opened = await open(configOf([]))
    const password = (await readFile(join(directory, 'initial-admin-password'), 'utf8')).trimEnd()
    let change = await opened.prepare(configOf([]))
    change.swap()
    expect((await opened.users.authenticate('admin', password)).account?.subject).toBe('admin')
    change = await opened.prepare(configOf([user('alice', 'wonderland')]))
    expect((await opened.users.authenticate('admin', password)).account?.subject).toBe('admin')
    change.swap()
    expect(await opened.users.authenticate('admin', password)).toEqual({ failure: 'unknown-user' })
  })

  it('has nobody in it when nobody needs to log in', async () => {
    const { users } = await open(configOf([user('admin', 'admin')], { isAuthenticated: false }), {
      NODE_ENV: 'production',
    })
    expect(await users.find('admin')).toBeUndefined()
  })

  // Covers: A11
  it('stops the start in production for a well-known password, unless that is allowed', async () => {
    const admin = [user('admin', 'admin')]
    const production = { NODE_ENV: 'production' }
    await expect(open(configOf(admin), production)).rejects.toMatchObject({
      name: 'ConfigError',
      problems: [{ key: 'internal_apis.users[0].user.password', rule: expect.stringContaining('admin') }],
    })
    const three = [user('alice', 'wonderland'), user('bob', 'bob'), ...admin]
    await expect(open(configOf(three), production)).rejects.toMatchObject({
      problems: [{ key: 'internal_apis.users[1].user.password' }, { key: 'internal_apis.users[2].user.password' }],
    })
    await open(configOf(three))
    await open(configOf(admin, { allowDefaultCredentials: true }), production)
    const warnings = log.filter((line) => line.includes('SECURITY'))
    expect(warnings.map((line) => /lets anybody in as (.*): change it/.exec(line)?.[1])).toEqual([
      'bob, admin',
      'admin',
    ])
  })
})
