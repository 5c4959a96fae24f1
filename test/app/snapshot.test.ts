import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createSecurity } from '../../lib/app/create-security.js'
import { rotateKeyFile } from '../../lib/tokens/keys/key-file.js'
import { basic, bearer, startFront, users } from '../helpers/front.js'
import { MemoryUserStore } from '../helpers/memory-user-store.js'
import { recordedLog } from '../helpers/recorded-log.js'
import { codeAt, seed } from '../helpers/second-factor-front.js'
import { oneSetUp } from '../helpers/set-ups.js'
import { snapshotDocument } from '../tokens/snapshot/app-process.js'

const folderOf = (source: object): string => JSON.stringify(source).match(/"snapshot_file":"(.*)\/state"/)![1]!

const statusOf = async (front: Awaited<ReturnType<typeof startFront>>, token: string): Promise<number> =>
  (await front.call('GET', '/inbound', [bearer(token)])).status

describe('security with a snapshot', () => {
  it('goes on with the tokens of users whose passwords stand in the file, and ends them with a changed password', async () => {
    const source = snapshotDocument()
    const first = await startFront(oneSetUp, { source })
    const [admin, reader] = [await first.login(), await first.login(users.reader)]
    await first.close()
    const changed = JSON.parse(JSON.stringify(source).replace(users.reader.password, 'Another-password-3'))
    const next = await startFront(oneSetUp, { source: changed })
    expect(await statusOf(next, admin)).toBe(200)
    expect(await statusOf(next, reader)).toBe(401)
  })

  it('knows which codes of a second factor were used, and how many were wrong', async () => {
    const document = structuredClone(snapshotDocument()) as { internal_apis: { users: [{ user: object }] } }
    Object.assign(document.internal_apis.users[0].user, { totp: seed })
    const now = Date.now()
    const logIn = async (front: Awaited<ReturnType<typeof startFront>>, code: string): Promise<number> =>
      (await front.call('GET', '/login', [basic(users.admin.name, users.admin.password), `X-OTP: ${code}`])).status
    const start = () => startFront(oneSetUp, { source: document, options: { clock: () => now } })
    const first = await start()
    expect(await logIn(first, codeAt(now))).toBe(200)
    await first.close()
    const next = await start()
    expect(await logIn(next, codeAt(now))).toBe(401)
    for (let guess = 0; guess < 4; guess++) await logIn(next, '000000')
    await next.close()
    expect(await logIn(await start(), codeAt(now + 30_000))).toBe(429)
  })

  it('goes on after its configuration was read again', async () => {
    const source = snapshotDocument()
    const first = await startFront(oneSetUp, { source })
    const [kept, revoked] = [await first.login(), await first.login()]
    await first.security.reload(source)
    expect((await first.call('GET', '/logout', [bearer(revoked)])).status).toBe(200)
    const later = await first.login()
    await first.close()
    const next = await startFront(oneSetUp, { source })
    expect(await statusOf(next, kept)).toBe(200)
    expect(await statusOf(next, later)).toBe(200)
    expect(await statusOf(next, revoked)).toBe(401)
  })

  it('goes on after the signing key was rotated and taken over', async () => {
    const source = snapshotDocument()
    const { name, password } = users.admin
    const userStore = new MemoryUserStore({ users: { [name]: { password, roles: ['admin'] } } })
    const first = await startFront(oneSetUp, { source, options: { userStore } })
    const token = await first.login()
    await rotateKeyFile(`${folderOf(source)}/token-key.pem`, {
      algorithm: 'ES256',
      rsaBits: 2048,
      overlapMs: 3_600_000,
      now: Date.now(),
    })
    await first.security.reload(source)
    const later = await first.login()
    await first.close()
    const next = await startFront(oneSetUp, { source, options: { userStore } })
    expect(await statusOf(next, token)).toBe(200)
    expect(await statusOf(next, later)).toBe(200)
  })

  it('forgets nothing of a user who was revoked', async () => {
    const source = snapshotDocument()
    const first = await startFront(oneSetUp, { source })
    const [token, other] = [await first.login(users.reader), await first.login()]
    expect(await first.security.tokens.revokeUser(users.reader.name)).toBe(1)
    await first.close()
    const next = await startFront(oneSetUp, { source })
    expect(await statusOf(next, token)).toBe(401)
    expect(await statusOf(next, other)).toBe(200)
  })

  it('refuses the start of a second one, and leaves the first as it is', async () => {
    const source = snapshotDocument()
    const first = await startFront(oneSetUp, { source })
    const token = await first.login()
    await expect(createSecurity(source, { logger: recordedLog().logger })).rejects.toThrow(
      /^management_api\.jwt_token_security_handler\.token_store_config\.snapshot_file: cannot be used: Process \d+ on /,
    )
    expect(await statusOf(first, token)).toBe(200)
    expect((await first.call('GET', '/logout', [bearer(token)])).status).toBe(200)
  })

  it('writes nothing that could be used', async () => {
    const source = snapshotDocument()
    const folder = folderOf(source)
    const first = await startFront(oneSetUp, { source })
    const token = await first.login()
    await first.close()
    const names = readdirSync(folder).filter((name) => name.startsWith('state'))
    expect(names).toHaveLength(2)
    for (const name of names) {
      const text = readFileSync(`${folder}/${name}`, 'latin1')
      for (const word of [token, token.split('.')[2]!, users.admin.name]) expect(text).not.toContain(word)
    }
  })
})
