import { createPrivateKey } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTokenSigner } from '../../../lib/tokens/jwt/sign-token.js'
import { keysFromFile, rotateKeyFile } from '../../../lib/tokens/keys/key-file.js'
import { createKeyRing, keyRingFrom } from '../../../lib/tokens/keys/key-ring.js'
import { createKeySet, type KeySet, newKeys, type RetiredKey } from '../../../lib/tokens/keys/signing-key.js'
import { MemoryTokenStore } from '../../../lib/tokens/memory/memory-token-store.js'
import { tokenId } from '../../../lib/tokens/token-id.js'
import type { TokenRecord, TokenStore } from '../../../lib/tokens/token-store.js'
import { bearer, document, startFront, users } from '../../helpers/front.js'
import { oneSetUp } from '../../helpers/set-ups.js'

const start = Date.UTC(2026, 0, 1)
let now = start
const clock = (): number => now

let folder: string
let keyFile: string
let count = 0

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-rotation-'))
})

beforeEach(() => {
  now = start
  keyFile = join(folder, `key-${count++}`)
})

afterAll(() => {
  rmSync(folder, { recursive: true })
})

const rotate = (overlapMs: number) => rotateKeyFile(keyFile, { algorithm: 'ES256', rsaBits: 2048, overlapMs, now })

const kidsOf = (ring: { jwks(): { readonly keys: readonly { kid?: string }[] } }) =>
  ring.jwks().keys.map(({ kid }) => kid)

// Covers: B19
describe('a ring whose keys are exchanged', () => {
  const makeKeys = (): Promise<KeySet> => newKeys('ES256', 2048)
  const retired = ({ signing }: KeySet, verifyUntil: number, isFinal: boolean): RetiredKey => ({
    ...signing,
    verifyUntil,
    isFinal,
  })

  it('signs with the new key, and lets the old one verify until its last token has expired', async () => {
    const [one, two] = [await makeKeys(), await makeKeys()]
    const ring = keyRingFrom(one, clock)
    ring.exchange(two, 60_000)
    expect(ring.kid).toBe(two.signing.kid)
    for (const [at, kids] of [
      [start, [two, one]],
      [start + 59_999, [two, one]],
      [start + 60_000, [two]],
    ] as const) {
      now = at
      expect(kidsOf(ring)).toEqual(kids.map(({ signing }) => signing.kid))
      expect(ring.find(one.signing.kid) !== undefined).toBe(kids.length === 2)
    }
  })

  it('takes another algorithm, while each key keeps its own', async () => {
    const [one, two] = [await makeKeys(), await newKeys('EdDSA', 2048)]
    const ring = keyRingFrom(one, clock)
    ring.exchange(two, 60_000)
    expect(ring.algorithm).toBe('EdDSA')
    expect(ring.find(one.signing.kid)!.algorithm).toBe('ES256')
    expect(ring.jwks().keys.map(({ alg }) => alg)).toEqual(['EdDSA', 'ES256'])
  })

  it('keeps several retired keys, each to its own end', async () => {
    const sets = [await makeKeys(), await makeKeys(), await makeKeys()]
    const ring = keyRingFrom(sets[0]!, clock)
    ring.exchange(sets[1]!, 60_000)
    now += 30_000
    ring.exchange(sets[2]!, 60_000)
    expect(kidsOf(ring)).toHaveLength(3)
    now += 30_000
    expect(kidsOf(ring)).toEqual([sets[2]!.signing.kid, sets[1]!.signing.kid])
    now += 30_000
    expect(kidsOf(ring)).toEqual([sets[2]!.signing.kid])
  })

  it('stays as it is when the key is the same', async () => {
    const keys = await makeKeys()
    const ring = keyRingFrom(keys, clock)
    ring.exchange(keys, 60_000)
    expect(kidsOf(ring)).toEqual([keys.signing.kid])
  })

  it('lets a key that comes back sign again', async () => {
    const [one, two] = [await makeKeys(), await makeKeys()]
    const ring = keyRingFrom(one, clock)
    ring.exchange(two, 60_000)
    ring.exchange(one, 60_000)
    expect(kidsOf(ring)).toEqual([one.signing.kid, two.signing.kid])
    now += 60_000
    expect(kidsOf(ring)).toEqual([one.signing.kid])
  })

  it('takes the later of two ends, unless one is final', async () => {
    const [one, two] = [await makeKeys(), await makeKeys()]
    for (const [verifyUntil, isFinal, expected] of [
      [start + 5_000, false, start + 60_000],
      [start + 90_000, false, start + 90_000],
      [start + 5_000, true, start + 5_000],
      [start, true, start],
    ] as const) {
      now = start
      const ring = keyRingFrom(one, clock)
      ring.exchange({ ...two, retired: [retired(one, verifyUntil, isFinal)] }, 60_000)
      now = Math.max(start, expected - 1)
      expect(ring.find(one.signing.kid) !== undefined).toBe(now < expected)
      now = expected
      expect(ring.find(one.signing.kid)).toBeUndefined()
    }
  })

  it.each([0, 1])(
    'lets a key that was dropped verify nothing, wherever it stands beside itself (%i)',
    async (first) => {
      const [one, two] = [await makeKeys(), await makeKeys()]
      const ends = [retired(one, start, true), retired(one, start + 60_000, false)]
      const ring = keyRingFrom({ ...two, retired: first === 0 ? ends : ends.toReversed() }, clock)
      expect(ring.find(one.signing.kid)).toBeUndefined()
    },
  )

  it('never hands out the private key', async () => {
    const ring = keyRingFrom(await makeKeys(), clock)
    const first = ring.kid
    ring.exchange(await makeKeys(), 60_000)
    for (const kid of [first, ring.kid]) {
      expect(Object.keys(ring.find(kid)!)).not.toContain('privateKey')
      expect(ring.find(kid)!.publicKey.type).toBe('public')
    }
    for (const jwk of ring.jwks().keys) expect(Object.keys(jwk).toSorted()).not.toContain('d')
  })

  it('names in a token the key that signs it, also when the keys are exchanged meanwhile', async () => {
    const ring = keyRingFrom(await makeKeys(), clock)
    const signToken = createTokenSigner({ keys: ring, issuer: 'i', audience: 'a' })
    const claims = { subject: 's', scope: 'x', issuedAtSeconds: 1, expiresAtSeconds: 2 }
    const { compactVerify } = await import('jose')
    for (let round = 0; round < 5; round++) {
      const next = await makeKeys()
      const signing = [signToken(claims), signToken(claims)]
      ring.exchange(next, 60_000)
      signing.push(signToken(claims))
      const kids = await Promise.all(
        (await Promise.all(signing)).map(async (token) => {
          const { protectedHeader } = await compactVerify(token, ({ kid }) => ring.find(kid!)!.publicKey)
          return protectedHeader.kid
        }),
      )
      expect(kids[0]).toBe(kids[1])
      expect(kids[2]).toBe(next.signing.kid)
    }
  })
})

// Covers: B19
describe('rotateKeyFile', () => {
  it('makes the first key', async () => {
    const { kid, before } = await rotate(60_000)
    expect(before).toBeUndefined()
    expect(existsSync(`${keyFile}.retired`)).toBe(false)
    expect((await createKeyRing({ algorithm: 'ES256', keyFile })).kid).toBe(kid)
  })

  it('makes a key of the kind of the old one where no algorithm is named, and RS256 as the first', async () => {
    const options = { algorithm: undefined, rsaBits: 2048, overlapMs: 0, now }
    await rotate(60_000)
    await rotateKeyFile(keyFile, options)
    expect((await keysFromFile(keyFile, undefined)).signing.algorithm).toBe('ES256')
    await rotateKeyFile(`${keyFile}-first`, options)
    expect((await keysFromFile(`${keyFile}-first`, undefined)).signing.algorithm).toBe('RS256')
  })

  it('keeps the public half of the old key, with its end', async () => {
    const { kid: first } = await rotate(60_000)
    const { kid, before } = await rotate(60_000)
    expect(before).toMatchObject({ kid: first, verifyUntil: start + 60_000, isFinal: false })
    const ring = await createKeyRing({ algorithm: 'ES256', keyFile, clock })
    expect(kidsOf(ring)).toEqual([kid, first])
    now += 60_000
    expect(kidsOf(ring)).toEqual([kid])
    expect(ring.find(first)).toBeUndefined()
    const text = readFileSync(`${keyFile}.retired`, 'utf8')
    expect(JSON.parse(text).keys).toEqual([
      expect.objectContaining({ kid: first, alg: 'ES256', use: 'sig', verify_until: start / 1000 + 60, final: false }),
    ])
    expect(text).not.toMatch(/"d"|PRIVATE/)
  })

  it('lets a dropped key verify nothing, not even where it signed until now', async () => {
    const { kid: first } = await rotate(60_000)
    const running = keyRingFrom(await keysFromFile(keyFile, 'ES256'), clock)
    const { kid } = await rotate(0)
    running.exchange(await keysFromFile(keyFile, 'ES256'), 3_600_000)
    expect(kidsOf(running)).toEqual([kid])
    expect(running.find(first)).toBeUndefined()
    expect(kidsOf(await createKeyRing({ algorithm: 'ES256', keyFile, clock }))).toEqual([kid])
  })

  it('forgets keys that have ended', async () => {
    const kids: string[] = []
    for (let round = 0; round < 4; round++) {
      kids.unshift((await rotate(60_000)).kid)
      now += 25_000
    }
    expect(kidsOf(await createKeyRing({ algorithm: 'ES256', keyFile, clock }))).toEqual(kids.slice(0, 3))
    const stored = JSON.parse(readFileSync(`${keyFile}.retired`, 'utf8')) as { keys: unknown[] }
    expect(stored.keys).toHaveLength(2 + 1)
    now += 60_000
    await rotate(60_000)
    expect(JSON.parse(readFileSync(`${keyFile}.retired`, 'utf8')).keys).toHaveLength(1)
  })

  it.skipIf(process.platform === 'win32')('writes both files for their owner only, through a link', async () => {
    const link = `${keyFile}-link`
    await rotate(60_000)
    symlinkSync(keyFile, link)
    const { kid } = await rotateKeyFile(link, { algorithm: 'ES256', rsaBits: 2048, overlapMs: 60_000, now })
    expect((await createKeyRing({ algorithm: 'ES256', keyFile })).kid).toBe(kid)
    for (const path of [keyFile, `${keyFile}.retired`]) expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('changes nothing when the old key cannot be read', async () => {
    writeFileSync(keyFile, 'no key')
    await expect(rotate(60_000)).rejects.toThrow(/must hold one unencrypted private key/)
    expect(readFileSync(keyFile, 'utf8')).toBe('no key')
    expect(existsSync(`${keyFile}.retired`)).toBe(false)
  })
})

describe('a file of retired keys', () => {
  async function fileWith(text: string): Promise<void> {
    rmSync(`${keyFile}.retired`, { force: true })
    await rotate(60_000)
    writeFileSync(`${keyFile}.retired`, text)
  }
  const read = () => createKeyRing({ algorithm: 'ES256', keyFile, clock })

  it('is not needed', async () => {
    await rotate(60_000)
    expect(kidsOf(await read())).toHaveLength(1)
  })

  it.each(['', 'x', '[]', '{}', '{"keys":{}}', '{"keys":[{}]}', '{"keys":[{"kty":"oct","k":"AA"}]}'])(
    'is refused when it is %j',
    async (text) => {
      await fileWith(text)
      await expect(read()).rejects.toThrow(/\.retired must be a list of keys that "npx sallyport keys rotate" wrote$/)
    },
  )

  it('is refused with a private key, half a key, an HMAC secret, or one of another kind', async () => {
    const { privateKey, signing } = await newKeys('ES256', 2048)
    const more = { alg: 'ES256', verify_until: 1, final: false }
    const entry = { ...signing.publicKey.export({ format: 'jwk' }), ...more }
    for (const [jwk, why] of [
      [{ ...privateKey.export({ format: 'jwk' }), ...more }, /must be a list of keys/],
      [{ ...entry, y: undefined }, /must have public keys only, each of them whole/],
      [{ kty: 'oct', k: 'AAAA', ...more }, /must have public keys only/],
      [{ ...entry, alg: 'RS256' }, /must hold an RSA key for RS256, got ec/],
      [{ ...entry, alg: 'HS256' }, /must be a list of keys/],
      [{ ...entry, verify_until: 'x' }, /must be a list of keys/],
    ] as const) {
      await fileWith(JSON.stringify({ keys: [jwk] }))
      await expect(read()).rejects.toThrow(why)
    }
  })

  it('says what the key is called, whatever it says itself', async () => {
    const { signing } = await newKeys('ES256', 2048)
    const jwk = { ...signing.publicKey.export({ format: 'jwk' }), kid: 'x', alg: 'ES256', final: false }
    await fileWith(JSON.stringify({ keys: [{ ...jwk, verify_until: start / 1000 + 1 }] }))
    expect(kidsOf(await read())).toContain(signing.kid)
  })

  it('is refused when it is a folder', async () => {
    await rotate(60_000)
    keyFile = join(folder, 'nested')
    const { mkdirSync } = await import('node:fs')
    mkdirSync(`${keyFile}.retired`)
    await rotate(60_000)
    await expect(read()).rejects.toThrow(/must be a file that can be read \(EISDIR\)/)
  })
})

/** The record as another process would read it: its fields, and no account. */
function plainRecord(record: TokenRecord): TokenRecord {
  const { id, kind, audience, parent, subject, roles, isAdmin, accountVersion, scope, address } = record
  const { issuedAt, expiresAt, idleTimeoutMs, lastAccessAt } = record
  const times = { issuedAt, expiresAt, idleTimeoutMs, lastAccessAt }
  return { id, kind, audience, parent, subject, roles, isAdmin, accountVersion, scope, address, ...times }
}

/** A store whose records all come from outside this process, so that each token's signature is verified each time. */
function foreignStore(): TokenStore {
  const inner = new MemoryTokenStore({ maxSize: 10_000, clock })
  return {
    find(id) {
      const record = inner.find(id)
      return record && plainRecord(record)
    },
    add: (record) => inner.add(record),
    touch: (id, at) => inner.touch(id, at),
    remove: (id) => inner.remove(id),
    removeBySubject: (subject) => inner.removeBySubject(subject),
    list: (query) => inner.list(query),
    close: () => inner.close(),
  }
}

// Covers: B19
describe('rotation under load', () => {
  const expiryMs = 60_000
  const source = () =>
    document({ jwt: { token_config: { algorithm: 'ES256', expiry: expiryMs / 1000, key_file: keyFile } } })

  it('refuses no token that should pass, and accepts none after its key has retired', async () => {
    await rotate(expiryMs)
    const tokenStore = foreignStore()
    const front = await startFront(oneSetUp, { source: source(), options: { tokenStore, clock } })
    const issued: { readonly token: string; readonly expiresAt: number }[] = []
    const statusOf = async (token: string): Promise<number> =>
      (await front.call('GET', '/apis', [bearer(token)])).status
    const logIn = async (): Promise<void> => {
      issued.push({ token: await front.login(), expiresAt: now + expiryMs })
    }

    for (let round = 0; round < 6; round++) {
      const live = issued.filter(({ expiresAt }) => now < expiresAt)
      const ended = issued.filter(({ expiresAt }) => now >= expiresAt)
      const rotating = rotate(expiryMs).then(() => front.security.reload(source()))
      const answers = Promise.all(live.map(({ token }) => statusOf(token)))
      await Promise.all([...Array.from({ length: 4 }, logIn), rotating, ...Array.from({ length: 4 }, logIn)])
      expect(await answers).toEqual(live.map(() => 200))
      expect(await Promise.all(issued.slice(-8).map(({ token }) => statusOf(token)))).toEqual(Array(8).fill(200))
      expect(await Promise.all(ended.map(({ token }) => statusOf(token)))).toEqual(ended.map(() => 401))
      now += 25_000
    }

    now += expiryMs
    await front.login()
    expect((await front.call('GET', '/jwks')).json<{ keys: unknown[] }>().keys).toHaveLength(1)
  })

  it('refuses a token of a retired key that has not expired itself, and shows the key no more', async () => {
    await rotate(expiryMs)
    const { privateKey } = await createKeySet(createPrivateKey(readFileSync(keyFile)), 'ES256')
    const tokenStore = foreignStore()
    const front = await startFront(oneSetUp, { source: source(), options: { tokenStore, clock } })
    const stolen = keyRingFrom(await createKeySet(privateKey, 'ES256'), clock)
    const signToken = createTokenSigner({
      keys: stolen,
      issuer: 'urn:sallyport:management',
      audience: 'management-api',
    })
    const subject = users.admin.name
    const lasting = { issuedAtSeconds: now / 1000, expiresAtSeconds: now / 1000 + 86_400 }
    const token = await signToken({ subject, scope: 'admin', ...lasting })
    await front.login()
    const [mine] = await tokenStore.list({})
    await tokenStore.add({ ...plainRecord(mine!), id: tokenId('management', token), expiresAt: now + 86_400_000 })
    const status = async () => (await front.call('GET', '/apis', [bearer(token)])).status
    const kids = async () =>
      (await front.call('GET', '/jwks')).json<{ keys: { kid: string }[] }>().keys.map(({ kid }) => kid)

    expect(await status()).toBe(200)
    await rotate(expiryMs)
    expect(await status()).toBe(200)
    await front.security.reload(source())
    expect(await kids()).toEqual([expect.any(String), stolen.kid])
    expect(await status()).toBe(200)
    now += expiryMs - 1
    expect(await status()).toBe(200)
    now += 1
    expect(await status()).toBe(401)
    expect(await kids()).not.toContain(stolen.kid)
  })

  it('lets caches keep the keys for five minutes, and for no longer than until one retires', async () => {
    await rotate(expiryMs)
    const front = await startFront(oneSetUp, { source: source(), options: { clock } })
    const age = async () => (await front.call('GET', '/jwks')).header('cache-control')
    expect(await age()).toBe('public, max-age=300')
    await rotate(expiryMs)
    await front.security.reload(source())
    now += expiryMs - 2500
    expect(await age()).toBe('public, max-age=2')
    now += 2000
    expect(await age()).toBe('public, max-age=0')
    now += 500
    expect(await age()).toBe('public, max-age=300')
  })

  it('says nothing of a restart, and keeps everything when the new key cannot be read', async () => {
    await rotate(expiryMs)
    const front = await startFront(oneSetUp, { source: source(), options: { clock } })
    const begun = front.entries.length
    await rotate(expiryMs)
    await front.security.reload(source())
    const other = document({ jwt: { token_config: { algorithm: 'EdDSA', expiry: expiryMs / 1000 } } })
    await front.security.reload(other)
    expect(front.entries.slice(begun).filter(({ message }) => message.includes('next start'))).toEqual([])
    const before = (await front.call('GET', '/jwks')).json<{ keys: { alg: string }[] }>()
    expect(before.keys.map(({ alg }) => alg)).toEqual(['EdDSA', 'ES256', 'ES256'])

    writeFileSync(keyFile, 'no key')
    await expect(front.security.reload(source())).rejects.toThrow(/key_file/)
    expect((await front.call('GET', '/jwks')).json()).toEqual(before)
  })

  it('keeps the key of the process as long as nothing about it changes', async () => {
    const own = (more: object) => document({ jwt: { token_config: { algorithm: 'ES256', ...more } } })
    const front = await startFront(oneSetUp, { source: own({}), options: { clock } })
    const kids = async () =>
      (await front.call('GET', '/jwks')).json<{ keys: { kid: string }[] }>().keys.map(({ kid }) => kid)
    const first = await kids()
    await front.security.reload(own({ expiry: 10 }))
    expect(await kids()).toEqual(first)
    await front.security.reload(own({ algorithm: 'EdDSA' }))
    expect(await kids()).toEqual([expect.any(String), ...first])
  })
})
