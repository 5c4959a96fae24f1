import { describe, expect, it } from 'vitest'
import { bearer, document, startFront } from '../helpers/front.js'
import type { RawAnswer } from '../helpers/raw-http.js'
import { twoSetUps } from '../helpers/set-ups.js'

const listed = ['https://one.example', 'https://b\u00fccher.example', 'https://two.example:8443'] as const
/** As a browser sends the second of them. */
const idn = 'https://xn--bcher-kva.example'
const source = document({ managementApi: { cors: { allowed_origins: [listed[0], idn, listed[2]] } } })

/** Origins that a loose comparison would take for one of the list. */
const foreign: readonly (readonly [what: string, ...lines: string[]])[] = [
  ['a suffix', 'Origin: https://one.example.evil.example'],
  ['a prefix', 'Origin: https://evil-one.example'],
  ['a sub-domain', 'Origin: https://a.one.example'],
  ['any letter for the dot', 'Origin: https://onexexample'],
  ['another case', 'Origin: https://ONE.example'],
  ['another port', 'Origin: https://one.example:444'],
  ['the port that is meant anyway', 'Origin: https://one.example:443'],
  ['no port', 'Origin: https://two.example'],
  ['another scheme', 'Origin: http://one.example'],
  ['a dot at the end', 'Origin: https://one.example.'],
  ['a slash at the end', 'Origin: https://one.example/'],
  ['a path', 'Origin: https://one.example/a'],
  ['user information', 'Origin: https://one.example@evil.example'],
  ['user information before it', 'Origin: https://evil@one.example'],
  ['the letters of the IDN', `Origin: ${listed[1]}`],
  ['a look-alike', 'Origin: https://\u043ene.example'],
  ['null', 'Origin: null'],
  ['an empty value', 'Origin: '],
  ['*', 'Origin: *'],
  ['two values', 'Origin: https://one.example, https://evil.example'],
  ['two lines, a listed one first', 'Origin: https://one.example', 'Origin: https://evil.example'],
  ['two lines, a listed one last', 'Origin: https://evil.example', 'Origin: https://one.example'],
  ['a file', 'Origin: file://'],
  ['an extension', 'Origin: chrome-extension://one.example'],
  ['no origin at all'],
]

const varyOf = (answer: RawAnswer): readonly string[] => (answer.header('vary') ?? '').toLowerCase().split(/,\s*/)
const preflight = ['Access-Control-Request-Method: PUT', 'Access-Control-Request-Headers: authorization']

describe.each(twoSetUps)('the list of origins on $name', (setUp) => {
  // Covers: H01 H02
  it('names no origin but those that are on it, to plain requests and preflights', async () => {
    const front = await startFront(setUp, { source })
    const token = bearer(await front.login())
    for (const [what, ...lines] of foreign) {
      const answers = [
        await front.call('GET', '/apis', [...lines, token]),
        await front.call('GET', '/apis', lines),
        await front.call('OPTIONS', '/apis', [...lines, ...preflight]),
      ]
      for (const answer of answers) {
        expect(answer.header('access-control-allow-origin'), what).toBeUndefined()
        expect(answer.header('access-control-allow-credentials'), what).toBeUndefined()
        expect(varyOf(answer), what).toContain('origin')
      }
    }
  })

  // Covers: H01 H02
  it.each([listed[0], idn, listed[2]])('names %s, to no other cache', async (origin) => {
    const front = await startFront(setUp, { source })
    const answer = await front.call('GET', '/apis', [`Origin: ${origin}`])
    expect(answer.header('access-control-allow-origin')).toBe(origin)
    expect(varyOf(answer)).toContain('origin')
    const permission = await front.call('OPTIONS', '/apis', [`Origin: ${origin}`, ...preflight])
    expect(permission.header('access-control-allow-origin')).toBe(origin)
    expect(permission.header('access-control-allow-credentials')).toBeUndefined()
    expect(varyOf(permission)).toEqual(
      expect.arrayContaining(['origin', 'access-control-request-method', 'access-control-request-headers']),
    )
    expect(front.handled).toEqual([])
  })

  // Covers: H01
  it('is * by default, and then no credentials are allowed', async () => {
    const front = await startFront(setUp)
    for (const lines of [
      ['Origin: https://evil.example'],
      ['Origin: null'],
      ['Cookie: a=b', 'Origin: https://a.example'],
    ]) {
      const answer = await front.call('GET', '/apis', lines)
      expect(answer.header('access-control-allow-origin')).toBe('*')
      expect(answer.header('access-control-allow-credentials')).toBeUndefined()
    }
  })

  // Covers: H03
  it('lets nothing but a preflight pass without a token', async () => {
    const front = await startFront(setUp, { source })
    const origin = `Origin: ${listed[0]}`
    for (const [method, lines] of [
      ['OPTIONS', []],
      ['OPTIONS', [origin]],
      ['OPTIONS', preflight],
      ['GET', [origin, ...preflight]],
      ['POST', [origin, ...preflight]],
      ['HEAD', [origin, ...preflight]],
    ] as const) {
      expect((await front.call(method, '/apis', lines)).status, `${method} ${lines}`).toBe(401)
    }
    expect(front.handled).toEqual([])
  })
})
