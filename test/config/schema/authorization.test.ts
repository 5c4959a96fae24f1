import { describe, expect, it } from 'vitest'
import { managementApiOf, problemsOf, warningsOf } from '../problems-of.js'

const key = 'management_api.authorization_handler'
const withResources = (resources: unknown, rest: object = {}) => ({ authorization_handler: { resources, ...rest } })
const resourcesOf = (resources: unknown) => managementApiOf(withResources(resources)).authorization.resources
const ruleOf = (resources: unknown) => problemsOf({ management_api: withResources(resources) })

describe('[[management_api.authorization_handler.resources]]', () => {
  it('replaces the default list, and covers /roles as it covers /users', () => {
    expect(resourcesOf([{ path: '/users/', roles: ['hr'] }, { path: '/apis' }])).toEqual([
      { path: '/users', methods: undefined, roles: ['hr'], origin: { key: `${key}.resources[0]` } },
      { path: '/apis', methods: undefined, roles: undefined, origin: { key: `${key}.resources[1]` } },
      { path: '/roles', methods: undefined, roles: ['hr'], origin: { key: `${key}.resources[0]` } },
    ])
  })

  it('covers /roles by every entry of /users, with its methods and roles', () => {
    const entries = [
      { path: '/Users', methods: ['POST'], roles: ['hr'] },
      { path: '/users', methods: ['DELETE'] },
    ]
    expect(resourcesOf(entries).slice(2)).toEqual([
      { path: '/roles', methods: ['POST'], roles: ['hr'], origin: { key: `${key}.resources[0]` } },
      { path: '/roles', methods: ['DELETE'], roles: undefined, origin: { key: `${key}.resources[1]` } },
    ])
  })

  it.each([
    ['it has an entry of its own', [{ path: '/users' }, { path: '/Roles', roles: ['x'] }], 2],
    ['it has one for other methods', [{ path: '/users' }, { path: '/roles', methods: 'POST' }], 2],
    ['/users is not named', [{ path: '/apis' }], 1],
  ])('does not add /roles when %s', (_, resources, count) => {
    expect(resourcesOf(resources)).toHaveLength(count)
  })

  it.each(['/', '/a', '/a/b.c/', '/a-b_c~d', '/a@b', '/\u00fcber'])('takes the path %j', (path) => {
    expect(resourcesOf([{ path }])[0]?.path).toBe(path === '/' ? '/' : path.replace(/\/$/, ''))
  })

  it.each([
    ['users', 'starts with "/"'],
    ['', 'starts with "/"'],
    [7, 'starts with "/"'],
    ['/a?b', 'query'],
    ['/a#b', 'query'],
    ['/a*', 'wildcards'],
    ['/:id', 'wildcards'],
    ['/a(b)', 'wildcards'],
    ['/a\\b', 'wildcards'],
    ['/a;b', 'wildcards'],
    ['/a^', 'wildcards'],
    ['/%75sers', 'percent-escapes'],
    ['/a b', 'blanks'],
    ['/a\u0000', 'blanks'],
    ['/a/../b', 'segments'],
    ['/a/.', 'segments'],
    ['//a', 'empty segments'],
    ['/a//', 'empty segments'],
  ])('refuses the path %j', (path, rule) => {
    const problems = ruleOf([{ path }])
    expect(Object.keys(problems)).toEqual([`${key}.resources[0].path`])
    expect(Object.values(problems)[0]).toContain(rule)
  })

  it.each([
    [
      ['post', 'DELETE'],
      ['POST', 'DELETE'],
    ],
    ['post, delete', ['POST', 'DELETE']],
    ['GET', ['GET', 'HEAD']],
    [
      ['HEAD', 'GET', 'get'],
      ['HEAD', 'GET'],
    ],
  ])('reads the methods %j', (methods, expected) => {
    expect(resourcesOf([{ path: '/a', methods }])[0]?.methods).toEqual(expected)
  })

  it.each([
    { methods: [] },
    { methods: '' },
    { methods: 'FETCH' },
    { methods: 'GET,' },
    { methods: 7 },
    { methods: ['GET', 7] },
  ])('refuses %j', ({ methods }) => {
    expect(Object.keys(ruleOf([{ path: '/a', methods }]))).toEqual([`${key}.resources[0].methods`])
  })

  it('names the method that is none', () => {
    const long = Array.from({ length: 20 }, () => 'POST')
    for (const methods of [['PSOT'], ['GET', 'PSOT'], 'GET, PSOT', [...long, 'psot']]) {
      expect(Object.values(ruleOf([{ path: '/a', methods }]))[0]).toContain('; "PSOT" is none, got ')
    }
  })

  it('shows a short list, so that the entry that is wrong can be seen', () => {
    expect(Object.values(ruleOf([{ path: '/a', methods: ['GET', 7] }]))[0]).toMatch(/, got \["GET", 7\]$/)
  })

  it.each([
    ['authenticated', [{ path: '/apis' }], 1],
    ['authenticated', [{ path: '/Users' }], 0],
    ['authenticated', [{ path: '/' }], 0],
    ['admin', [{ path: '/apis' }], 0],
    ['deny', [{ path: '/apis' }], 0],
  ])('with default_policy %s and %j gives %i warnings of /users', (default_policy, resources, count) => {
    const authorization_handler = { default_policy, resources }
    const warnings = Object.values(warningsOf({ management_api: { authorization_handler } }))
    expect(warnings.filter((rule) => rule.includes('/users'))).toHaveLength(count)
  })

  it.each([{ roles: [] }, { roles: 'admin' }, { roles: [''] }, { roles: [7] }])('refuses %j', ({ roles }) => {
    expect(Object.keys(ruleOf([{ path: '/a', roles }]))[0]).toMatch(/resources\[0\]\.roles/)
  })

  it('refuses a path that is protected twice for the same methods, and names both places', () => {
    const methods = ['PUT', 'POST']
    const list = [{ path: '/a', methods }, { path: '/b' }, { path: '/a' }, { path: '/A/', methods: 'post,put' }]
    expect(ruleOf(list)).toEqual({
      [`${key}.resources[3].path`]: `must not be protected twice for the same methods (the other is ${key}.resources[0].path), got "/A/"`,
    })
  })

  it('refuses an empty list, a missing path and what is no list', () => {
    expect(ruleOf([])[`${key}.resources`]).toContain('to protect none, write enable = false')
    expect(Object.keys(ruleOf([{ roles: ['x'] }]))).toEqual([`${key}.resources[0].path`])
    expect(Object.keys(ruleOf({ path: '/a' }))).toEqual([`${key}.resources`])
  })

  it('warns when /users is not named', () => {
    expect(warningsOf({ management_api: withResources([{ path: '/apis' }]) })[`${key}.resources`]).toContain('/users')
    expect(warningsOf({ management_api: withResources([{ path: '/USERS' }]) })).toEqual({})
  })
})

describe('[management_api.authorization_handler]', () => {
  it.each(['authenticated', 'admin', 'deny'])('takes the default policy %s', (default_policy) => {
    expect(managementApiOf({ authorization_handler: { default_policy } }).authorization.defaultPolicy).toBe(
      default_policy,
    )
  })

  it('refuses another default policy', () => {
    expect(problemsOf({ management_api: { authorization_handler: { default_policy: 'allow' } } })).toEqual({
      [`${key}.default_policy`]: 'must be one of authenticated, admin, deny, got "allow"',
    })
  })

  it('warns when it does not apply to the users of the file', () => {
    const source = { management_api: { authorization_handler: { apply_to_file_users: 'false' } } }
    expect(Object.keys(warningsOf(source))).toEqual([`${key}.apply_to_file_users`])
  })
})

describe('public_paths', () => {
  const publicOf = (paths: unknown, handler: object = {}) =>
    problemsOf({ management_api: { public_paths: paths, authorization_handler: handler } })

  it('are kept as they are spelled', () => {
    expect(managementApiOf({ public_paths: ['/Health', '/docs/'] }).publicPaths).toEqual(['/Health', '/docs/'])
  })

  it.each([
    ['/users', {}],
    ['/USERS/x', {}],
    ['/configs/', {}],
    ['/a/b', { resources: [{ path: '/a', methods: ['GET'] }] }],
    ['/a', { resources: [{ path: '/' }] }],
  ])('refuse %j, which %j protects', (path, handler) => {
    expect(Object.keys(publicOf([path], handler))).toEqual(['management_api.public_paths[0]'])
  })

  it.each([
    ['/users-x', {}],
    ['/a', { resources: [{ path: '/a', methods: 'POST' }] }],
    ['/users', { enable: false }],
  ])('take %j beside %j', (path, handler) => {
    expect(publicOf([path], handler)).toEqual({})
  })

  it.each([{ paths: '/x' }, { paths: ['x'] }, { paths: [7] }, { paths: ['/a*'] }])('refuse %j', ({ paths }) => {
    expect(Object.keys(publicOf(paths))).toHaveLength(1)
  })
})
