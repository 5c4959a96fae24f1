import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../../lib/config/parse.js'
import { problemsOf, warningsOf } from '../problems-of.js'

const tables = [
  ['admin_console', 'adminConsoleAddresses'],
  ['web_app', 'webAppAddresses'],
] as const

describe.each(tables)('[%s.control_access]', (table, field) => {
  const source = (control_access: object): object => ({ [table]: { control_access } })
  const key = `${table}.control_access.allow`

  it('takes addresses, networks and expressions, each as it is written', () => {
    const allow = ['10.0.0.0/8', '127.0.0.1', '192\\.168\\..*', '10\\.0\\.0\\.\\d+', '::1']
    expect(parseConfig(source({ enable: true, allow }))[field]).toEqual(allow)
    expect(warningsOf(source({ enable: true, allow }))).not.toHaveProperty([key])
  })

  it.each([true, 'true', 'TRUE'])('is in effect with enable = %j', (enable) => {
    expect(parseConfig(source({ enable, allow: ['::1'] }))[field]).toEqual(['::1'])
  })

  it.each([false, 'false', undefined])('is not in effect with enable = %j, and a warning says so', (enable) => {
    const access = source({ enable, allow: ['::1'] })
    expect(parseConfig(access)[field]).toBeUndefined()
    expect(warningsOf(access)[key]).toMatch(/^has no effect/)
  })

  it('refuses everybody with an empty list, and a warning says so', () => {
    const access = source({ enable: 'true', allow: [] })
    expect(parseConfig(access)[field]).toEqual([])
    expect(warningsOf(access)[key]).toMatch(
      /^refuses everybody, because it is empty; write who may call, such as allow = /,
    )
  })

  it('demands a list when it is enabled', () => {
    expect(problemsOf(source({ enable: true }))).toEqual({
      [key]: 'must list the addresses that may call, such as ["10.0.0.0/8", "127.0.0.1"], got nothing',
    })
  })

  it.each([7, '10.0.0.1', { '10.0.0.1': true }, null])('does not take %j for a list', (allow) => {
    expect(problemsOf(source({ enable: true, allow }))[key]).toMatch(/^must be a list of addresses and networks/)
  })

  it('names every mistaken item, and what would be right', () => {
    const allow = ['10.0.0.1', '10.*', 7, 'IP1', '(\\d', '', '10.0.0.1, 10.0.0.2']
    const problems = problemsOf(source({ enable: true, allow }))
    expect(Object.keys(problems)).toEqual([1, 2, 3, 4, 5, 6].map((index) => `${key}[${index}]`))
    expect(problems[`${key}[1]`]).toBe(
      'must be an address, a CIDR block or a regular expression, in quotes ("10.*" may mean a wildcard or ' +
        'an expression; write 10.0.0.0/8, or write \\. for a dot, as in 10\\.0\\..*), got "10.*"',
    )
    expect(problems[`${key}[2]`]).toMatch(
      /^must be an address, a CIDR block or a regular expression, in quotes, such as .*, got 7$/,
    )
  })

  it('does not show what an environment variable holds', () => {
    const problems = problemsOf(source({ enable: true, allow: ['$env{NETWORK}'] }), { env: { NETWORK: 'hunter2' } })
    expect(JSON.stringify(problems)).not.toContain('hunter2')
    expect(problems[`${key}[0]`]).toContain('got the value of "$env{NETWORK}"')
  })
})

describe('[[servlet_access_control_filter]]', () => {
  const row = {
    filter_name: 'Remote Address Filter',
    url_pattern: '/carbon/admin/login.jsp',
    allow_ip_regex: '127.0.0.1',
  }
  const source = (...filters: object[]): object => ({ servlet_access_control_filter: filters })
  const problemsOfRow = (changes: object): Record<string, string> => problemsOf(source({ ...row, ...changes }))

  it('is read as the documentation has it', () => {
    expect(parseConfig(source(row)).servletFilters).toEqual([
      {
        name: 'Remote Address Filter',
        urlPattern: '/carbon/admin/login.jsp',
        allow: ['127.0.0.1'],
        deny: undefined,
        denyStatus: 403,
        origin: { key: 'servlet_access_control_filter[0]' },
      },
    ])
  })

  it('keeps the order of the file', () => {
    const filters = ['b', 'a', 'c'].map((filter_name) => ({ ...row, filter_name }))
    expect(parseConfig(source(...filters)).servletFilters.map(({ name }) => name)).toEqual(['b', 'a', 'c'])
    expect(parseConfig({}).servletFilters).toEqual([])
  })

  it.each([
    [404, 404],
    ['404', 404],
    [400, 400],
    [599, 599],
  ])('answers with deny_status = %j', (deny_status, expected) => {
    expect(parseConfig(source({ ...row, deny_status })).servletFilters[0]?.denyStatus).toBe(expected)
  })

  it.each([200, 302, 399, 600, 'forbidden', 403.5, 401, 407])('does not take deny_status = %j', (deny_status) => {
    expect(problemsOfRow({ deny_status })).toHaveProperty(['servlet_access_control_filter[0].deny_status'])
  })

  it.each([{ allow_ip_regex: '' }, { allow_ip_regex: undefined }])(
    'with %j refuses everybody, and warns',
    (changes) => {
      const access = source({ ...row, ...changes })
      expect(parseConfig(access).servletFilters[0]).toMatchObject({ allow: undefined, deny: undefined })
      expect(warningsOf(access)['servlet_access_control_filter[0]']).toMatch(
        /^refuses everybody, because it has neither/,
      )
      expect(warningsOf(source({ ...row, ...changes, deny_ip_regex: '10\\..*' }))).not.toHaveProperty([
        'servlet_access_control_filter[0]',
      ])
    },
  )

  it.each([
    ['filter_name', undefined],
    ['filter_name', ''],
    ['filter_name', 7],
    ['url_pattern', undefined],
    ['url_pattern', ''],
    ['url_pattern', 7],
    ['url_pattern', '/carbon*'],
    ['allow_ip_regex', '10.*'],
    ['allow_ip_regex', ['10.0.0.1']],
    ['deny_ip_regex', '(?!10)'],
    ['deny_ip_regex', 10],
  ])('does not take %s = %j', (name, value) => {
    expect(Object.keys(problemsOfRow({ [name]: value }))).toEqual([`servlet_access_control_filter[0].${name}`])
  })

  it('needs a name that no other has', () => {
    const problems = problemsOf(source(row, { ...row, filter_name: 'another' }, row))
    expect(problems).toEqual({
      'servlet_access_control_filter[2].filter_name':
        'must not be the name of two filters (the other is servlet_access_control_filter[0].filter_name), got "Remote Address Filter"',
    })
  })
})
