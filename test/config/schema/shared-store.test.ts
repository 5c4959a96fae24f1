import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../../lib/config/parse.js'
import { problemsOf } from '../problems-of.js'

const store = { type: 'redis', url: 'redis://127.0.0.1:6379' }
const key = { jwt_token_security_handler: { token_config: { key_file: 'token-key.pem' } } }
const internal_apis = { users: [{ user: { name: 'admin', password: 'a-password', is_admin: true } }] }
const problems = (changes: object) =>
  Object.keys(problemsOf({ internal_apis, management_api: key, shared_store: { ...store, ...changes } }))

describe('[shared_store]', () => {
  it('is not there unless it is written', () => {
    expect(parseConfig({}, { env: {} }).sharedStore).toBeUndefined()
  })

  it('needs a type and a URL, and has defaults for the rest', () => {
    expect(parseConfig({ internal_apis, management_api: key, shared_store: store }, { env: {} }).sharedStore).toEqual({
      type: 'redis',
      url: 'redis://127.0.0.1:6379',
      caFile: undefined,
      username: undefined,
      password: undefined,
      keyPrefix: 'sallyport',
      maxStalenessMs: 1000,
      maxStalenessOnFailureMs: 0,
      replicasToConfirm: 0,
      sentinel: undefined,
    })
  })

  it('reads times, a CA file from the folder of the file, a placeholder, and sentinels', () => {
    const shared = {
      ...store,
      url: 'rediss://redis.example/2',
      ca_file: 'ca.pem',
      user: 'sallyport',
      password: '$env{REDIS_PASSWORD}',
      max_staleness: '500ms',
      replicas_to_confirm: 1,
      on_store_failure: 'cached',
      max_staleness_on_failure: '5m',
      sentinel: { master_name: 'mymaster', nodes: ['10.0.0.1:26379', '[fd00::1]:26379', 'sentinel'] },
    }
    const options = { env: { REDIS_PASSWORD: 'a-secret' }, home: '/etc/app' }
    expect(
      parseConfig({ internal_apis, management_api: key, shared_store: shared }, options).sharedStore,
    ).toMatchObject({
      caFile: '/etc/app/ca.pem',
      username: 'sallyport',
      password: 'a-secret',
      maxStalenessMs: 500,
      maxStalenessOnFailureMs: 300_000,
      replicasToConfirm: 1,
      sentinel: { name: 'mymaster', nodes: shared.sentinel.nodes },
    })
  })

  it.each([
    [{ type: 'memcached' }, 'type'],
    [{ type: undefined }, 'type'],
    [{ url: undefined }, 'url'],
    [{ url: 'http://127.0.0.1' }, 'url'],
    [{ url: 'redis://' }, 'url'],
    [{ url: 'redis://127.0.0.1/sessions' }, 'url'],
    [{ url: 'redis://:50%off@127.0.0.1' }, 'url'],
    [{ key_prefix: '' }, 'key_prefix'],
    [{ key_prefix: '{a}' }, 'key_prefix'],
    [{ max_staleness: 1 }, 'max_staleness'],
    [{ max_staleness: '99ms' }, 'max_staleness'],
    [{ max_staleness: '61s' }, 'max_staleness'],
    [{ on_store_failure: 'allow' }, 'on_store_failure'],
    [{ on_store_failure: 'cached' }, 'max_staleness_on_failure'],
    [{ max_staleness_on_failure: '5m' }, 'max_staleness_on_failure'],
    [{ replicas_to_confirm: -1 }, 'replicas_to_confirm'],
    [{ replicas_to_confirm: 101 }, 'replicas_to_confirm'],
    [{ replicas_to_confirm: 1.5 }, 'replicas_to_confirm'],
    [{ ca_file: 'ca.pem' }, 'ca_file'],
    [{ data_source: 'shared' }, 'data_source'],
    [{ max_staleness: '0s' }, 'max_staleness'],
    [{ sentinel: { nodes: ['a:1'] } }, 'sentinel.master_name'],
    [{ sentinel: { master_name: 'm' } }, 'sentinel.nodes'],
    [{ sentinel: { master_name: 'm', nodes: [] } }, 'sentinel.nodes'],
    [{ sentinel: { master_name: 'm', nodes: ['a b'] } }, 'sentinel.nodes[0]'],
    [{ max_stalenes: '1s' }, 'max_stalenes'],
  ])('refuses %j at %s', (changes, at) => {
    expect(problems(changes)).toEqual([`shared_store.${at}`])
  })

  describe('type = "sql"', () => {
    const datasource = [
      { id: 'users', url: 'jdbc:sqlite:users.db' },
      { id: 'shared', url: 'jdbc:postgresql://db.example/app', username: 'app', password: '$env{DB_PASSWORD}' },
    ]
    const sql = { type: 'sql', data_source: 'shared' }
    const options = { env: { DB_PASSWORD: 'a-secret' }, home: '/etc/app' }
    const read = (changes: object = {}) => {
      const document = { internal_apis, management_api: key, datasource, shared_store: { ...sql, ...changes } }
      return parseConfig(document, options).sharedStore
    }

    it('names a [[datasource]], also where the users are in the file, and asks the database each time by default', () => {
      expect(read()).toEqual({
        type: 'sql',
        datasourceKey: 'datasource[1]',
        datasource: {
          url: 'jdbc:postgresql://db.example/app',
          username: 'app',
          password: 'a-secret',
          maxConnections: undefined,
          home: '/etc/app',
        },
        keyPrefix: 'sallyport',
        maxStalenessMs: 0,
        maxStalenessOnFailureMs: 0,
      })
      expect(read({ max_staleness: '0s' })).toMatchObject({ maxStalenessMs: 0 })
      expect(read({ max_staleness: '50ms' })).toMatchObject({ maxStalenessMs: 50 })
      expect(read({ data_source: 'jdbc/shared' })).toMatchObject({ datasourceKey: 'datasource[1]' })
    })

    it('warns of no database that is used for this alone', () => {
      const document = { internal_apis, management_api: key, datasource, shared_store: sql }
      expect(parseConfig(document, options).warnings).toEqual([])
    })

    it("takes Identity Server's way to write a database", () => {
      const named = { shared: { url: 'jdbc:mysql://db.example/app' } }
      const document = { internal_apis, management_api: key, datasource: named, shared_store: sql }
      expect(parseConfig(document, options).sharedStore).toMatchObject({ datasourceKey: 'datasource.shared' })
    })

    it.each([
      [{ data_source: undefined }, ['data_source']],
      [{ data_source: 'other' }, ['data_source']],
      [{ data_source: 'users' }, ['data_source']],
      [{ url: 'redis://127.0.0.1' }, ['url']],
      [{ user: 'a', password: 'b', ca_file: 'c' }, ['ca_file', 'user', 'password']],
      [{ sentinel: { master_name: 'm', nodes: ['a'] } }, ['sentinel']],
      [{ max_staleness: '61s' }, ['max_staleness']],
      [{ replicas_to_confirm: 1 }, ['replicas_to_confirm']],
      [{ max_staleness: 0 }, ['max_staleness']],
    ])('refuses %j at %j', (changes, at) => {
      const shared_store = { ...sql, ...changes }
      const found = problemsOf({ internal_apis, management_api: key, datasource: datasource.map(plain), shared_store })
      expect(Object.keys(found).toSorted()).toEqual(at.map((name) => `shared_store.${name}`).toSorted())
    })

    const plain = ({ id, url }: { id: string; url: string }) => ({ id, url })
  })

  it('needs a signing key that all processes share, and says what to write', () => {
    const found = problemsOf({ internal_apis, shared_store: store })
    expect(Object.keys(found)).toEqual(['shared_store'])
    expect(JSON.stringify(found)).toContain('token_config.key_file = \\"token-key.pem\\"')
    const withKeyStore = { jwt_token_security_handler: { token_config: { keystore: 'primary' } } }
    const keystore = { primary: { file_name: 'keys.p12', password: 'a', alias: 'a' } }
    expect(problemsOf({ internal_apis, management_api: withKeyStore, keystore, shared_store: store })).toEqual({})
  })

  it('needs users that all processes share', () => {
    expect(problemsOf({ management_api: key, shared_store: store })).toEqual({
      shared_store: 'needs users that all processes share; write [[internal_apis.users]], or [user_store]',
    })
  })

  it('never shows what is in a URL that is refused', () => {
    expect(
      JSON.stringify(problemsOf({ management_api: key, shared_store: { ...store, url: 'http://:a-secret@x' } })),
    ).not.toContain('a-secret')
  })
})
