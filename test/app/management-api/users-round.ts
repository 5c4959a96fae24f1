/** What the front does with users from a database or directory that a TOML file names, whichever it is. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { type ManagedStore, openManagedStore } from '../../../lib/cli/store-command.js'
import { basic, bearer, type Front, startFront } from '../../helpers/front.js'
import type { RawAnswer } from '../../helpers/raw-http.js'
import { recordedLog, secret } from '../../helpers/recorded-log.js'
import { oneSetUp } from '../../helpers/set-ups.js'

/** The administrator that the store begins with. */
export const root = { name: 'root', password: secret('Root-password-1') } as const
const alice = { name: 'alice', password: secret('Alice-password-2') } as const
const bob = { name: 'bob', password: secret('Bob-password-3') } as const
const newPassword = secret('Another-password-4')

const head = `
[internal_apis.file_user_store]
enable = "false"

[management_api.jwt_token_security_handler]
token_config.algorithm = "ES256"
`

/** Writes a `deployment.toml` with these tables of users into a folder of its own, and returns its path. */
export async function deploymentWith(tables: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-users-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const path = join(folder, 'deployment.toml')
  await writeFile(path, `${head}\n${tables}`)
  return path
}

/** Opens the store of a file as another program would, until the test ends. */
export async function otherProgram(path: string): Promise<ManagedStore> {
  const opened = await openManagedStore(path, recordedLog().logger)
  onTestFinished(async () => {
    await opened.store.close()
  })
  return opened
}

/** Sends a request with a token, as the `mi` command line does. */
export function ask(front: Front, token: string, method: string, path: string, body?: object): Promise<RawAnswer> {
  const headers = [bearer(token), 'Accept: application/json', 'Content-Type: application/json']
  return front.call(method, path, headers, body && JSON.stringify(body))
}

async function statusOf(front: Front, token: string): Promise<number> {
  return (await ask(front, token, 'GET', '/whoami')).status
}

/**
 * Runs the tests.
 *
 * @param makeDeployment - Makes a store with {@link root} in it, and returns the path of the file that names it.
 */
export function usersRound(makeDeployment: () => Promise<string>): void {
  async function start() {
    const path = await makeDeployment()
    let now = Date.now()
    const front = await startFront(oneSetUp, { source: path, options: { clock: () => now } })
    const after = (seconds: number): void => {
      now += seconds * 1000
    }
    return { front, path, after, admin: await front.login(root) }
  }

  async function add(front: Front, admin: string, user: typeof alice | typeof bob): Promise<void> {
    const body = { userId: user.name, password: user.password, isAdmin: 'false', domain: '' }
    expect((await ask(front, admin, 'POST', '/users', body)).json()).toEqual({ userId: user.name, status: 'Added' })
  }

  it('serves the requests of mi', async () => {
    const { front, admin } = await start()
    await add(front, admin, alice)
    const listed = (await ask(front, admin, 'GET', '/users?pattern=a*')).json()
    expect(listed).toEqual({ count: 1, list: [{ userId: 'alice' }] })
    expect((await ask(front, admin, 'POST', '/roles', { role: 'tester' })).status).toBe(200)
    const change = { userId: 'alice', domain: '', addedRoles: ['tester'], removedRoles: [] }
    expect((await ask(front, admin, 'PUT', '/roles', change)).status).toBe(200)
    expect((await ask(front, admin, 'GET', '/roles/tester')).json()).toEqual({ role: 'tester', users: ['alice'] })
    const found = (await ask(front, admin, 'GET', '/users/alice')).json<{ roles: string[] }>()
    expect(found).toMatchObject({ userId: 'alice', isAdmin: false })
    expect(found.roles).toContain('tester')
    expect((await ask(front, admin, 'DELETE', '/roles/tester')).status).toBe(200)
    expect((await ask(front, admin, 'DELETE', '/users/alice')).status).toBe(200)
    expect((await ask(front, admin, 'GET', '/users/alice')).status).toBe(404)
  })

  it('keeps users who are no administrators from the users', async () => {
    const { front, admin } = await start()
    await add(front, admin, alice)
    const token = await front.login(alice)
    expect(await statusOf(front, token)).toBe(200)
    expect((await ask(front, token, 'GET', '/users')).status).toBe(403)
    const wrong = await front.call('GET', '/login', [basic(alice.name, bob.password)])
    expect(wrong.status).toBe(401)
  })

  it('ends tokens with a new password, and with the user', async () => {
    const { front, admin } = await start()
    await add(front, admin, alice)
    const token = await front.login(alice)
    const body = { newPassword, confirmPassword: newPassword, oldPassword: alice.password }
    expect((await ask(front, token, 'PATCH', '/users/alice', body)).status).toBe(200)
    expect(await statusOf(front, token)).toBe(401)
    expect((await front.call('GET', '/login', [basic(alice.name, alice.password)])).status).toBe(401)
    const next = await front.login({ ...alice, password: newPassword })
    expect(await statusOf(front, next)).toBe(200)
    expect((await ask(front, admin, 'DELETE', '/users/alice')).status).toBe(200)
    expect(await statusOf(front, next)).toBe(401)
  })

  it('sees what another program writes once recheck_interval is over', async () => {
    const { front, path, admin, after } = await start()
    await add(front, admin, alice)
    await add(front, admin, bob)
    const [token, other] = [await front.login(alice), await front.login(bob)]
    const { store } = await otherProgram(path)
    await store.changeRoles('alice', { added: ['admin'], removed: [] })
    await store.remove('bob')
    expect((await ask(front, token, 'GET', '/users')).status).toBe(403)
    after(59)
    expect(await statusOf(front, other)).toBe(200)
    after(2)
    expect((await ask(front, token, 'GET', '/users')).status).toBe(200)
    expect(await statusOf(front, other)).toBe(401)
  })
}

/** The front with a store that goes down, and what happens to logins and tokens. */
export async function expectFailClosed(path: string, goDown: () => Promise<void>, comeBack: () => Promise<void>) {
  let now = Date.now()
  const front = await startFront(oneSetUp, { source: path, options: { clock: () => now } })
  const token = await front.login(root)
  await goDown()
  const login = await front.call('GET', '/login', [basic(root.name, root.password)])
  expect({ status: login.status, retryAfter: login.header('retry-after') }).toEqual({ status: 503, retryAfter: '5' })
  expect(await statusOf(front, token)).toBe(200)
  now += 61_000
  expect(await statusOf(front, token)).toBe(200)
  now += 300_000
  const handled = front.handled.length
  expect(await statusOf(front, token)).toBe(503)
  expect(front.handled).toHaveLength(handled)
  await comeBack()
  // A store that has failed is left alone for some seconds: here those of the clock, and its own real ones.
  const later = (): Promise<number> => {
    now += 6000
    return statusOf(front, token)
  }
  await expect.poll(later, { timeout: 60_000 }).toBe(200)
  expect(await statusOf(front, await front.login(root))).toBe(200)
}
