import { describe, expect, it } from 'vitest'
import { managementApiOf, problemsOf, warningsOf } from '../problems-of.js'

const corsOf = (cors: object) => managementApiOf({ cors }).cors
const key = 'management_api.cors'
const ruleOf = (allowed_origins: unknown) => problemsOf({ management_api: { cors: { allowed_origins } } })

describe('[management_api.cors] enable', () => {
  it.each([
    [{}, true],
    [{ enable: false }, false],
    [{ enabled: false }, false],
    [{ enabled: 'FALSE' }, false],
    [{ enable: 'false', enabled: false }, false],
    [{ enable: true, enabled: 'true' }, true],
  ])('is read from %j', (cors, isEnabled) => {
    expect(corsOf(cors).isEnabled).toBe(isEnabled)
  })

  it('must not contradict enabled', () => {
    expect(problemsOf({ management_api: { cors: { enable: false, enabled: true } } })).toEqual({
      [`${key}.enabled`]:
        'must not contradict management_api.cors.enable; write only enable (the other is management_api.cors.enable), got true',
    })
  })
})

describe('allowed_origins', () => {
  it.each([
    ['*', ['*']],
    [' https://a.example , http://localhost:3000 ', ['https://a.example', 'http://localhost:3000']],
    [['https://a.example', 'https://a.example'], ['https://a.example']],
    ['http://[::1]:8080', ['http://[::1]:8080']],
    ['chrome-extension://abcdef', ['chrome-extension://abcdef']],
    ['https://a.example, *', ['*']],
  ])('takes %j', (allowed_origins, expected) => {
    expect(corsOf({ allowed_origins }).allowedOrigins).toEqual(expected)
  })

  it.each([
    ['https://a.example/', 'without path or slash at the end: https://a.example, got'],
    ['https://a.example/app', 'without path or slash at the end: https://a.example, got'],
    ['https://A.example', 'exactly as browsers send them, without path or slash at the end: https://a.example, got'],
    ['https://a.example:443', ': https://a.example, got'],
    ['https://user:pw@a.example', ': https://a.example, got'],
    ['a.example', 'must have a scheme before each host, such as https://a.example, got'],
    ['localhost:3000', 'must have a scheme before each host, such as https://localhost, got'],
    ['null', 'must not allow the origin null'],
    ['https://*.a.example', 'must not have a "*" within an origin'],
    ['https://a.example,', 'must not have an empty entry'],
    ['', 'must name origins'],
    [' , ,', 'or be "*", got " , ,"'],
    [',', 'or be "*", got ","'],
    [[], 'must name origins'],
    [['https://a.example', 7], 'must name origins'],
    [true, 'must name origins'],
  ])('refuses %j', (allowed_origins, rule) => {
    const problems = ruleOf(allowed_origins)
    expect(Object.keys(problems)).toEqual([`${key}.allowed_origins`])
    expect(Object.values(problems)[0]).toContain(rule)
  })

  it('warns of a "*" among others', () => {
    const cors = { allowed_origins: 'https://a.example, *' }
    expect(Object.keys(warningsOf({ management_api: { cors } }))).toEqual([`${key}.allowed_origins`])
    expect(warningsOf({ management_api: { cors: { allowed_origins: '*' } } })).toEqual({})
  })
})

describe('allowed_headers', () => {
  it.each(['Authorization', 'Authorization,Content-Type', 'X-A ,  x-b', '*'])(
    'keeps %j as it is',
    (allowed_headers) => {
      expect(corsOf({ allowed_headers }).allowedHeaders).toBe(allowed_headers)
    },
  )

  it('joins a list', () => {
    expect(corsOf({ allowed_headers: ['X-A', 'X-B'] }).allowedHeaders).toBe('X-A, X-B')
  })

  it.each(['', ' ', ',', 'A,', 'A B', 'A\r\nB', 'A:', 7, true])('refuses %j', (allowed_headers) => {
    expect(Object.keys(problemsOf({ management_api: { cors: { allowed_headers } } }))).toEqual([
      `${key}.allowed_headers`,
    ])
  })
})
