import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../lib/core/errors.js'
import { compilePathRules, type PathRule, type PathRulesOptions, type Requirement } from '../../lib/paths/rules.js'

function rulesOf(rules: readonly PathRule[], rest: Partial<PathRulesOptions> = {}) {
  return compilePathRules({ rules, defaultPolicy: 'authenticated', ...rest })
}

function textOf(decision: Requirement | 'public' | 'ambiguous'): string {
  if (typeof decision === 'string') return decision
  const { level, roles } = decision
  return [level, ...roles.map(({ anyOf }) => [...anyOf].join('|'))].join(' ')
}

describe('decide', () => {
  const rules = rulesOf([
    { path: '/users' },
    { path: '/apis', roles: ['publisher', 'creator'] },
    { path: '/apis/drafts', roles: ['creator'] },
    { path: '/apis/secret' },
    { path: '/logs', methods: ['DELETE'] },
    { path: '/Tokens/' },
    { path: '/reports', methods: ['get'], roles: ['auditor'] },
    { path: '/reports', methods: ['POST'], roles: ['author'] },
    { path: '/a/b/c' },
  ])

  it.each([
    ['GET', '/users', 'admin'],
    ['DELETE', '/users/42', 'admin'],
    ['GET', '/users/', 'admin'],
    ['GET', '/USERS', 'admin'],
    ['GET', '/uSeRs/42', 'admin'],
    ['GET', '/user', 'authenticated'],
    ['GET', '/usersx', 'authenticated'],
    ['GET', '/users.json', 'authenticated'],
    ['GET', '/users-export', 'authenticated'],
    ['GET', '/x/users', 'authenticated'],
    ['GET', '/', 'authenticated'],
    ['GET', '*', 'authenticated'],
    ['GET', 'users', 'admin'],
    ['GET', '/%75sers', 'admin'],
    ['GET', '//users', 'admin'],
    ['GET', '/x/../users', 'admin'],
    ['GET', '/users/../x', 'admin'],
    ['GET', '/users;v=1', 'admin'],
    ['GET', '/x\\..\\users', 'admin'],
    ['GET', '/user%C5%BF', 'admin'],
    ['GET', '/to%E2%84%AAens', 'admin'],
    ['GET', '/%zz', 'ambiguous'],
    ['GET', '/users%23x', 'admin'],
    ['GET', '/users%3fx/42', 'admin'],
    ['GET', '/users%5C%3F', 'admin'],
    ['GET', '/apis%23/../users', 'admin'],
    ['GET', '/usersx%23', 'authenticated'],
    ['GET', '/users%2523x', 'authenticated'],
    ['GET', '/other%3f/users', 'authenticated'],
    ['GET', '/apis', 'roles publisher|creator'],
    ['GET', '/apis/drafts/1', 'roles publisher|creator creator'],
    ['GET', '/apis/secret', 'admin'],
    ['GET', '/logs', 'authenticated'],
    ['DELETE', '/logs/1', 'admin'],
    ['GET', '/tokens/1', 'admin'],
    ['GET', '/reports', 'roles auditor'],
    ['HEAD', '/reports', 'roles auditor'],
    ['POST', '/reports', 'roles author'],
    ['PUT', '/reports', 'authenticated'],
    ['GET', '/a/b', 'authenticated'],
    ['GET', '/a/b/c/d', 'admin'],
    ['GET', '/a/b/x', 'authenticated'],
    // One reading needs a role, another an administrator, or a role more.
    ['GET', '/apis/../users', 'admin'],
    ['GET', '/apis/../reports', 'roles publisher|creator auditor'],
  ])('demands of %s %s: %s', (method, path, demand) => {
    expect(textOf(rules.decide(method, path))).toBe(demand)
  })

  it.each([
    ['authenticated', '/other', 'authenticated'],
    ['admin', '/other', 'admin'],
    ['deny', '/other', 'deny'],
    ['admin', '/apis', 'roles publisher'],
    ['deny', '/apis', 'roles publisher'],
    // A reading that no rule matches is under the default policy, whatever the other readings are.
    ['admin', '/apis/../other', 'admin'],
    ['deny', '/apis/../other', 'deny'],
    ['deny', '//apis', 'deny'],
    ['deny', '/apis//x', 'roles publisher'],
  ] as const)('with the default policy %s demands of %s: %s', (defaultPolicy, path, demand) => {
    const { decide } = rulesOf([{ path: '/apis', roles: ['publisher'] }], { defaultPolicy })
    expect(textOf(decide('GET', path)).split(' ')[0]).toBe(demand.split(' ')[0])
  })

  it('covers the whole mount by the rule /', () => {
    const { decide } = rulesOf([{ path: '/' }])
    expect(['/', '/x', '//', '/x/y', ''].map((path) => textOf(decide('GET', path)))).toEqual(Array(5).fill('admin'))
  })

  it('combines a rule for all methods with one for some', () => {
    const { decide } = rulesOf([
      { path: '/x', roles: ['reader'] },
      { path: '/x', methods: ['DELETE'], roles: ['owner'] },
    ])
    expect(textOf(decide('GET', '/x'))).toBe('roles reader')
    expect(textOf(decide('DELETE', '/x/1'))).toBe('roles reader owner')
  })

  it('decides with thousands of rules as with one', () => {
    const many = Array.from({ length: 5_000 }, (_, index) => ({ path: `/apis/${index}/keys` }))
    const { decide } = rulesOf(many)
    expect(textOf(decide('GET', '/apis/4999/keys/1'))).toBe('admin')
    expect(textOf(decide('GET', '/apis/4999/other'))).toBe('authenticated')
    expect(textOf(decide('GET', '/apis/5000/keys'))).toBe('authenticated')
  })

  it('is not misled by names that every object has', () => {
    const { decide } = rulesOf([{ path: '/users' }])
    for (const name of ['constructor', '__proto__', 'toString']) {
      expect(textOf(decide('GET', `/${name}/x`))).toBe('authenticated')
      expect(textOf(decide(name, '/users'))).toBe('admin')
    }
  })
})

describe('isPublic', () => {
  const rules = rulesOf([{ path: '/admin' }], { publicPaths: ['/health', '/', '/admin/ready'] })

  it.each([
    ['GET', '/health', true],
    ['HEAD', '/health', true],
    ['GET', '/', true],
    ['GET', '/admin/ready', true],
    ['POST', '/health', false],
    ['OPTIONS', '/health', false],
    ['get', '/health', false],
    ['GET', '/health/', false],
    ['GET', '/HEALTH', false],
    ['GET', '/healthx', false],
    ['GET', '/health/x', false],
    ['GET', '/users', false],
    ['GET', '//health', 'ambiguous'],
    ['GET', '/health;x', 'ambiguous'],
    ['GET', '/health%3fx', 'ambiguous'],
    ['GET', `//${'x'.repeat(2046)}`, false],
    ['GET', `//${'x'.repeat(2047)}`, 'ambiguous'],
    ['GET', `/${'x'.repeat(15_000)}`, false],
    ['GET', '/%68ealth', 'ambiguous'],
    ['GET', '/users/../health', 'ambiguous'],
    ['GET', '/health/..', 'ambiguous'],
    ['GET', '//', 'ambiguous'],
    ['POST', '//health', false],
    ['GET', '//users', false],
    ['GET', '/%zz', 'ambiguous'],
    ['POST', '/%zz', 'ambiguous'],
  ])('of %s %s is %s', (method, path, expected) => {
    expect(rules.isPublic(method, path)).toBe(expected)
    const decision = rules.decide(method, path)
    expect(decision === 'public' ? true : decision === 'ambiguous' ? decision : false).toBe(expected)
  })
})

describe('compilePathRules, given malformed rules', () => {
  function problemsOf(options: object): readonly string[] {
    try {
      compilePathRules({ rules: [], defaultPolicy: 'authenticated', ...options } as PathRulesOptions)
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError)
      return (error as ConfigError).problems.map(({ key, rule }) => `${key}: ${rule}`)
    }
    return []
  }

  it.each([
    ['users', 'must be a path that starts with "/"'],
    ['', 'must be a path that starts with "/"'],
    ['*', 'must be a path that starts with "/"'],
    ['/users?x', 'must be a path without a query'],
    ['/users#x', 'must be a path without a query'],
    ['/users/*', 'must be a plain path'],
    ['/users/:id', 'must be a plain path'],
    ['/users$', 'must be a plain path'],
    ['/%75sers', 'must be a path in plain characters'],
    ['/users;x', 'must be a plain path'],
    ['/\\users', 'must be a plain path'],
    ['//users', 'must be a path without empty segments'],
    ['/users//', 'must be a path without empty segments'],
    ['/./users', 'must be a path without "." and ".." segments'],
    ['/users/..', 'must be a path without "." and ".." segments'],
    ['/users ', 'must be a path without blanks'],
    ['/users\u00a0', 'must be a path without blanks'],
    ['/users\0', 'must be a path without blanks and control characters'],
  ])('refuses the path %j: it %s', (path, reason) => {
    expect(problemsOf({ rules: [{ path }] }).join()).toContain(`rules[0].path: ${reason}`)
    expect(problemsOf({ publicPaths: [path] }).join()).toContain(`publicPaths[0]: ${reason}`)
  })

  it.each(['/', '/users', '/users/', '/a.b/..c', '/\u00e4pfel', '/a:b'])('takes the path %s', (path) => {
    expect(problemsOf({ rules: [{ path }], publicPaths: [path] })).toEqual([])
  })

  it('lists every mistake', () => {
    const rules = [null, {}, { path: '/ok' }, { path: '/x', methods: 'GET', roles: [] }, { path: '/y', roles: [''] }]
    expect(problemsOf({ rules, publicPaths: [7], defaultPolicy: 'Deny' })).toEqual([
      'rules[0]: must be an object with a path',
      'rules[1].path: must be a path such as /users, got undefined',
      'rules[3].methods: must be a list of one or more names; leave it out to bind every method',
      'rules[3].roles: must be a list of one or more names; leave it out to let only administrators pass',
      'rules[4].roles: must be a list of one or more names; leave it out to let only administrators pass',
      'publicPaths[0]: must be a path such as /users, got number',
      'defaultPolicy: must be "authenticated", "admin" or "deny"',
    ])
  })

  it.each(['rules', 'publicPaths'])('refuses %s that are no list', (key) => {
    expect(problemsOf({ [key]: 'x' })).toEqual([`${key}: must be a list`])
  })

  it('does not take a key of every object for a policy', () => {
    expect(problemsOf({ defaultPolicy: 'toString' })).toHaveLength(1)
  })
})
