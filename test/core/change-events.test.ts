import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { createSecurity, type Security } from '../../lib/app/create-security.js'
import { parseConfig } from '../../lib/config/parse.js'
import { StoreError } from '../../lib/core/errors.js'
import { type SecurityEventMap, SecurityEvents } from '../../lib/core/events.js'
import { MemoryTokenStore } from '../../lib/tokens/memory/memory-token-store.js'
import {
  createLoginThrottle,
  type LoginThrottle,
  type LoginThrottleOptions,
} from '../../lib/users/throttle/login-throttle.js'
import { document } from '../helpers/front.js'
import { folderWith } from '../helpers/key-files.js'
import { type RecordedLog, recordedLog } from '../helpers/recorded-log.js'

const at = 1_000_000
const context = { by: 'root', reason: 'a stolen laptop' }
let log: RecordedLog
let seen: unknown[]

beforeEach(() => {
  log = recordedLog()
  seen = []
})

function note(events: SecurityEvents, ...names: (keyof SecurityEventMap)[]): void {
  for (const name of names) events.on(name, (event: object) => void seen.push({ name, ...event }))
}

async function front(source: Parameters<typeof createSecurity>[0] = document(), tokenStore = new MemoryTokenStore()) {
  const security = await createSecurity(source, { logger: log.logger, clock: () => at, tokenStore })
  onTestFinished(() => security.close())
  note(security.events, 'revocation', 'unlock', 'reload', 'lock', 'logout')
  return security
}

async function issueTo(security: Security, name: string): Promise<string> {
  return (await security.tokens.issue((await security.users.find(name))!)).id
}

describe('the event of a revocation', () => {
  it('says which token of whom, by whom and why', async () => {
    const security = await front()
    const tokenId = await issueTo(security, 'admin')
    expect(await security.tokens.revoke(tokenId, context)).toBe(true)
    const kind = 'management'
    expect(seen).toEqual([{ name: 'revocation', at, subject: 'admin', tokenId, kind, count: 1, ...context }])
    expect(log.entries.at(-1)).toMatchObject({ level: 'info', message: 'tokens revoked', fields: context })
  })

  it('says that of all tokens of a user', async () => {
    const security = await front()
    await issueTo(security, 'admin')
    await security.tokens.revokeUser('admin', context)
    expect(seen).toEqual([{ name: 'revocation', at, subject: 'admin', tokenId: undefined, count: 1, ...context }])
  })

  it('is there where nobody is named', async () => {
    const security = await front()
    const ids = [await issueTo(security, 'admin'), await issueTo(security, 'reader')]
    await Promise.all(ids.map((id) => security.tokens.revoke(id)))
    await security.tokens.revokeUser('admin')
    const nobody = { by: undefined, reason: undefined }
    expect(seen).toMatchObject([
      { subject: 'admin', ...nobody },
      { subject: 'reader', ...nobody },
      { count: 0, ...nobody },
    ])
  })

  it('is not there for a token that had ended already', async () => {
    const security = await front()
    const tokenId = await issueTo(security, 'admin')
    await security.tokens.revoke(tokenId)
    expect(await security.tokens.revoke(tokenId)).toBe(false)
    expect(await security.tokens.revoke('nothing')).toBe(false)
    expect(seen).toHaveLength(1)
  })

  it('is there though the store cannot tell whose token it was', async () => {
    const store = new MemoryTokenStore()
    const security = await front(document(), store)
    const tokenId = await issueTo(security, 'admin')
    store.find = () => {
      throw new StoreError('gone')
    }
    expect(await security.tokens.revoke(tokenId, context)).toBe(true)
    expect(seen).toMatchObject([{ subject: undefined, tokenId, by: 'root' }])
  })
})

describe('the event of a reload', () => {
  it('says which file, and which tables have other values, and shows none of them', async () => {
    const key = 'management_api.jwt_token_security_handler'
    const toml = (origin: string, password: string) => `
[management_api.cors]
allowed_origins = "${origin}"
[${key}.token_config]
algorithm = "ES256"
[[internal_apis.users]]
user.name = "admin"
user.password = "${password}"
user.is_admin = true
`
    const file = join(
      folderWith({ 'deployment.toml': toml('https://a.example', 'Correct-horse-1') }),
      'deployment.toml',
    )
    const security = await front(file)
    await security.reload(file, context)
    writeFileSync(
      file,
      `${toml('https://b.example', 'Battery-staple-2')}[management_api]\npublic_paths = ["/health"]\n`,
    )
    await security.reload(file)
    const nobody = { by: undefined, reason: undefined }
    const changed = ['internal_apis.users', 'management_api', 'management_api.cors']
    expect(seen).toEqual([
      { name: 'reload', at, file, changed: [], ...context },
      { name: 'reload', at, file, changed, ...nobody },
    ])
    expect(log.lines.join('')).not.toMatch(/Correct-horse|Battery-staple/)
  })

  it('sees what a placeholder stands for, a table that goes, and no other order of keys', async () => {
    const allow = (list: unknown, more: object = {}) =>
      document({ managementApi: { control_access: { allow: list, ...more } } })
    const security = await front(parseConfig(allow(['$env{NET}'], { enable: true }), { env: { NET: '10.0.0.0/8' } }))
    await security.reload(parseConfig({ ...allow(['10.0.0.0/8'], { enable: true }) }))
    await security.reload(
      parseConfig(document({ managementApi: { control_access: { enable: true, allow: ['10.0.0.0/8'] } } })),
    )
    await security.reload(parseConfig(allow(['192.0.2.1'], { enable: true })))
    await security.reload(document())
    const table = 'management_api.control_access'
    expect(seen).toMatchObject([
      { changed: [] },
      { changed: [] },
      { changed: [table] },
      { changed: [table], file: undefined },
    ])
  })

  it('is not there when the new file has mistakes', async () => {
    const security = await front()
    await expect(security.reload({ management_api: { protocols: ['ftp'] } }, context)).rejects.toThrow('protocols')
    expect(seen).toEqual([])
  })
})

describe('the event of a lock', () => {
  let now = at
  let throttle: LoginThrottle

  function throttleOf(options: LoginThrottleOptions = {}): void {
    now = at
    const events = new SecurityEvents(log.logger)
    note(events, 'lock', 'unlock')
    throttle = createLoginThrottle({ ...options, events, clock: () => now })
  }

  async function fail(count: number, name: string, address: string, subject?: string): Promise<void> {
    for (let index = 0; index < count; index++) {
      const attempt = await throttle.start(name, address)
      if (attempt.isAllowed) await attempt.fail(subject)
    }
  }

  it('says who, from where and for how long, once for each lock', async () => {
    throttleOf()
    await fail(4, 'Alice', '192.0.2.1', 'alice')
    expect(seen).toEqual([])
    await fail(5, 'Alice', '192.0.2.1', 'alice')
    const lock = { name: 'lock', address: '192.0.2.1', userName: 'Alice', subject: 'alice', scope: 'pair' }
    expect(seen).toEqual([{ ...lock, at, seconds: 60 }])
    expect(log.entries).toMatchObject([{ level: 'warn', message: 'logins locked' }])
    now += 60_000
    await fail(9, 'Alice', '192.0.2.1', 'alice')
    expect(seen.slice(1)).toEqual([{ ...lock, at: now, seconds: 120 }])
  })

  it('is one for the names of a user whose failures count together', async () => {
    throttleOf()
    await fail(3, 'alice', '192.0.2.1', 'CORP/alice')
    await fail(3, 'CORP/alice', '192.0.2.1', 'CORP/alice')
    expect(seen).toMatchObject([{ scope: 'pair', userName: 'CORP/alice', subject: 'CORP/alice' }])
  })

  it('is one for a user or a source while the guesses go on, and another after a quiet window', async () => {
    throttleOf({ maxUserFailures: 10, maxSourceFailures: 20 })
    for (let index = 0; index < 100; index++) {
      await fail(1, 'alice', `10.0.0.${index}`)
      now += 45_000
    }
    expect(seen).toMatchObject([{ scope: 'user', userName: 'alice', address: '10.0.0.17', seconds: 45 }])
    now += 1_800_000
    for (let index = 0; index < 10; index++) await fail(1, 'alice', `10.0.1.${index}`)
    expect(seen.slice(1)).toMatchObject([{ scope: 'user', seconds: 90 }])
    for (let index = 0; index < 40; index++) await fail(1, `user ${index}`, '192.0.2.9')
    expect(seen.slice(2)).toMatchObject([{ scope: 'source', address: '192.0.2.9', userName: 'user 19' }])
  })

  it('of an unlock says by whom and why', async () => {
    throttleOf()
    await throttle.unlock('alice', context)
    expect(seen).toEqual([{ name: 'unlock', at, userName: 'alice', ...context }])
  })

  it('is one of the front, and so is that of security.unlock', async () => {
    const security = await front()
    await security.unlock('admin', context)
    await security.unlock('reader')
    expect(seen).toMatchObject([
      { name: 'unlock', userName: 'admin', ...context },
      { userName: 'reader', by: undefined },
    ])
  })
})
