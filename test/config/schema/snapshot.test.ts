import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../../lib/config/parse.js'
import { problemsOf } from '../problems-of.js'

const internal_apis = { users: [{ user: { name: 'admin', password: 'a-password', is_admin: true } }] }
const table = 'management_api.jwt_token_security_handler.token_store_config'

const documentWith = (token_store_config: object, token_config: object = { key_file: 'token-key.pem' }): object => ({
  internal_apis,
  management_api: { jwt_token_security_handler: { token_config, token_store_config } },
})
const snapshotOf = (source: object) =>
  parseConfig(source, { env: {}, home: '/etc/app' }).managementApi.tokenStore.snapshot

describe('token_store_config.snapshot_file', () => {
  it('is not there unless it is written', () => {
    expect(snapshotOf({})).toBeUndefined()
  })

  it('starts from the folder of the file, and has defaults for the times', () => {
    expect(snapshotOf(documentWith({ snapshot_file: 'state/tokens' }))).toEqual({
      file: '/etc/app/state/tokens',
      intervalMs: 5000,
      maxAgeMs: 600_000,
    })
  })

  it('reads the times', () => {
    const times = { snapshot_interval: '100ms', snapshot_max_age: '200ms' }
    const expected = { file: '/state', intervalMs: 100, maxAgeMs: 200 }
    expect(snapshotOf(documentWith({ snapshot_file: '/state', ...times }))).toEqual(expected)
  })

  it.each([
    [{ snapshot_interval: '99ms' }, 'snapshot_interval', 'must be from "100ms" to "60s"'],
    [{ snapshot_interval: '61s' }, 'snapshot_interval', 'must be from "100ms" to "60s"'],
    [{ snapshot_max_age: '9s' }, 'snapshot_max_age', 'must be at least twice snapshot_interval'],
    [{ snapshot_file: '' }, 'snapshot_file', 'must be a text that is not blank and has no control characters'],
  ])('refuses %o', (changes, key, rule) => {
    expect(problemsOf(documentWith({ snapshot_file: 'state', ...changes }))).toEqual({
      [`${table}.${key}`]: expect.stringContaining(rule),
    })
  })

  it('is what the times are for', () => {
    const rule = expect.stringContaining('has no effect without snapshot_file')
    expect(problemsOf(documentWith({ snapshot_interval: '1s', snapshot_max_age: '1m' }))).toEqual({
      [`${table}.snapshot_interval`]: rule,
      [`${table}.snapshot_max_age`]: rule,
    })
  })

  it('needs a key that outlives the process', () => {
    const problems = problemsOf(documentWith({ snapshot_file: 'state' }, {}))
    expect(problems).toEqual({ [`${table}.snapshot_file`]: expect.stringContaining('needs a signing key') })
    const fromStore = documentWith({ snapshot_file: 'state' }, { keystore: 'primary' })
    expect(problemsOf(fromStore)[`${table}.snapshot_file`]).toBeUndefined()
  })

  it('has no place beside [shared_store]', () => {
    const source = { ...documentWith({ snapshot_file: 'state' }), shared_store: { type: 'redis', url: 'redis://a' } }
    expect(problemsOf(source)[`${table}.snapshot_file`]).toMatch(/^has no use with \[shared_store\]/)
  })
})
