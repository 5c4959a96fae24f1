import { describe, expect, it } from 'vitest'
import { basic, bearer, document, type Front, fileUsers, startFront, users } from '../../helpers/front.js'
import { requestBytes } from '../../helpers/raw-http.js'
import { secret } from '../../helpers/recorded-log.js'
import { pairSetUps, serverSetUps } from '../../helpers/set-ups.js'

const { name, password } = users.admin
const encoded = (text: string | Buffer): string => secret(Buffer.from(text).toString('base64'))

/** `Authorization` values that are no good for a login. */
const badLogins: readonly (readonly [what: string, value: string])[] = [
  ['an empty value', ''],
  ['the scheme alone', 'Basic'],
  ['the scheme and a blank', 'Basic '],
  ['another scheme', `Digest ${encoded(`${name}:${password}`)}`],
  ['Bearer with good credentials', `Bearer ${encoded(`${name}:${password}`)}`],
  ['no blank after the scheme', `Basic${encoded(`${name}:${password}`)}`],
  ['a tab after the scheme', `Basic\t${encoded(`${name}:${password}`)}`],
  ['characters that are not base64', 'Basic !!!!'],
  ['base64url', `Basic ${encoded('admin:\u00ff\u00fe?~~').replaceAll('+', '-').replaceAll('/', '_')}`],
  ['no padding', `Basic ${encoded(`${name}:${password}x`).replaceAll('=', '')}_`],
  ['text behind the padding', `Basic ${encoded(`${name}:${password}`)}=QQ==`],
  ['a second value', `Basic ${encoded(`${name}:${password}`)}, Basic ${encoded(`${name}:${password}`)}`],
  ['no colon', `Basic ${encoded(name)}`],
  ['an empty name', `Basic ${encoded(`:${password}`)}`],
  ['an empty password', `Basic ${encoded(`${name}:`)}`],
  ['neither name nor password', `Basic ${encoded(':')}`],
  ['a wrong password', `Basic ${encoded(`${name}:a-wrong-password`)}`],
  ['a password in other letters', `Basic ${encoded(`${name}:${password.toUpperCase()}`)}`],
  ['a name in other letters', `Basic ${encoded(`ADMIN:${password}`)}`],
  ['a name nobody has', `Basic ${encoded(`nobody:${password}`)}`],
  ['the name of a property of every object', `Basic ${encoded(`__proto__:${password}`)}`],
  ['NUL in the name', `Basic ${encoded(`${name}\0:${password}`)}`],
  ['a line break in the name', `Basic ${encoded(`${name}\r\n:${password}`)}`],
  ['bytes that are not UTF-8', `Basic ${encoded(Buffer.from([0x61, 0x3a, 0xff, 0xfe]))}`],
  ['a name of 300 characters', `Basic ${encoded(`${'n'.repeat(300)}:${password}`)}`],
  ['a password of 2000 characters', `Basic ${encoded(`${name}:${'p'.repeat(2000)}`)}`],
]

// Covers: A13
describe.each(pairSetUps)('a bad login on $name', (setUp) => {
  it('is answered with 401, whatever is wrong about it', async () => {
    const source = document({ managementApi: { login_throttle: { max_failures: 100 } } })
    const front = await startFront(setUp, { source })
    const answers = await Promise.all(
      badLogins.map(async ([what, value]) => {
        const { status, body } = await front.call('GET', '/login', [`Authorization: ${value}`])
        return { what, status, body }
      }),
    )
    expect(answers.filter(({ status, body }) => status !== 401 || body !== '')).toEqual([])
    expect(front.handled).toEqual([])
    expect(front.appErrors).toEqual([])
  })

  it('is answered with 400 when two Authorization lines came, in either order', async () => {
    const front = await startFront(setUp)
    const good = basic(name, password)
    for (const lines of [
      [good, basic(name, 'a-wrong-password')],
      [basic('x', 'a-wrong-password'), good],
      [good, good],
    ]) {
      const answer = await front.call('GET', '/login', lines)
      expect(answer.status).toBe(400)
      expect(answer.json()).toMatchObject({ code: 'ERR_AUTH_SEVERAL_CREDENTIALS' })
    }
  })
})

/** Other spellings of a token that a lenient reader would take for the same. */
const spellings: readonly (readonly [what: string, change: (token: string) => string])[] = [
  ['a flipped bit in the signature', (token) => flipBit(token, token.length - 5)],
  ['a flipped bit in the payload', (token) => flipBit(token, token.indexOf('.') + 8)],
  ['a flipped bit in the header', (token) => flipBit(token, 3)],
  ['other unused bits at the end', (token) => withOtherLastCharacter(token)],
  ['padding', (token) => `${token}=`],
  ['a fourth part', (token) => `${token}.`],
  ['a blank at the end of it', (token) => `${token} x`],
  ['a percent escape', (token) => token.replace('.', '%2E')],
  ['a comma and more', (token) => `${token}, Bearer ${token}`],
  ['quotes', (token) => `"${token}"`],
  ['other letters', (token) => token.toUpperCase()],
  ['one character less', (token) => token.slice(0, -1)],
  ['no signature', (token) => token.slice(0, token.lastIndexOf('.') + 1)],
  ['alg none', (token) => unsigned(token)],
]

function flipBit(text: string, index: number): string {
  const flipped = text[index] === 'A' ? 'B' : 'A'
  return text.slice(0, index) + flipped + text.slice(index + 1)
}

/** The last character of base64url holds bits that do not count: another one can decode to the same bytes. */
function withOtherLastCharacter(token: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return token.slice(0, -1) + alphabet[alphabet.indexOf(token.at(-1)!) ^ 1]
}

function unsigned(token: string): string {
  const header = Buffer.from(JSON.stringify({ alg: 'none', typ: 'JWT' })).toString('base64url')
  return `${header}.${token.split('.')[1]}.`
}

describe.each(pairSetUps)('a bad token on $name', (setUp) => {
  async function expectRefused(front: Front, value: string): Promise<void> {
    const answer = await front.call('GET', '/whoami', [`Authorization: ${value}`])
    expect(answer.status, value).toBe(401)
    expect(answer.body).toBe('')
  }

  // Covers: B08
  it('is refused in every other spelling of a good one', async () => {
    const front = await startFront(setUp)
    const token = await front.login()
    for (const [, change] of spellings) await expectRefused(front, `Bearer ${secret(change(token))}`)
    expect(front.handled).toEqual([])
    expect((await front.call('GET', '/whoami', [bearer(token)])).status).toBe(200)
  })

  it('is refused with another scheme, or none', async () => {
    const front = await startFront(setUp)
    const token = await front.login()
    for (const value of [
      token,
      `Token ${token}`,
      `Basic ${token}`,
      `Bearer${token}`,
      `Bearer:${token}`,
      'Bearer',
      '',
    ]) {
      await expectRefused(front, value)
    }
    expect(front.handled).toEqual([])
  })

  it('is good with any spelling of the scheme and more than one blank', async () => {
    const front = await startFront(setUp)
    const token = await front.login()
    for (const scheme of ['bearer', 'BEARER', 'BeArEr ']) {
      expect((await front.call('GET', '/whoami', [`Authorization: ${scheme} ${token}`])).status).toBe(200)
    }
  })

  // Covers: C09
  it('is refused when it is revoked, by its id and by its user', async () => {
    const front = await startFront(setUp)
    const [first, second] = [await front.login(), await front.login()]
    const [newest] = await front.security.tokens.list({ subject: name, limit: 1 })
    await front.security.tokens.revoke(newest!.id)
    await expectRefused(front, `Bearer ${second}`)
    expect((await front.call('GET', '/whoami', [bearer(first)])).status).toBe(200)
    expect(await front.security.tokens.revokeUser(name)).toBe(1)
    await expectRefused(front, `Bearer ${first}`)
  })

  it('is refused when a reload left its user out', async () => {
    const front = await startFront(setUp)
    const [ofAdmin, ofReader] = [await front.login(), await front.login(users.reader)]
    await front.security.reload(document({ internalApis: { users: fileUsers.slice(0, 1) } }))
    await expectRefused(front, `Bearer ${ofReader}`)
    expect((await front.call('GET', '/whoami', [bearer(ofAdmin)])).status).toBe(200)
  })

  // Covers: C02 C03
  it('is refused in the query and beside one in the query', async () => {
    const front = await startFront(setUp)
    const token = await front.login()
    expect((await front.call('GET', `/whoami?access_token=${token}`)).status).toBe(401)
    const both = await front.call('GET', `/whoami?access_token=${token}`, [bearer(token)])
    expect(both.status).toBe(400)
    expect(both.header('www-authenticate')).toContain('error="invalid_request"')
    expect(front.handled).toEqual([])
  })
})

describe.each(serverSetUps)('a request that is too long on $name', (setUp) => {
  it.each([
    ['in the Authorization line', [`Authorization: Bearer ${'a'.repeat(65_536)}`]],
    ['in the Authorization line of a login', [`Authorization: Basic ${'QUFB'.repeat(16_384)}`]],
    ['in another line', [`X-Long: ${'a'.repeat(65_536)}`]],
    ['in very many lines', Array.from({ length: 4000 }, (_, index) => `X-${index}: value-${index}`)],
  ])('is answered with 431 %s', async (_where, lines) => {
    const front = await startFront(setUp)
    expect((await front.call('GET', '/login', lines)).status).toBe(431)
    expect(front.handled).toEqual([])
  })

  it.each([8200, 12_000])('is answered with 401 for a credential of %d characters', async (length) => {
    const front = await startFront(setUp)
    const line = `Authorization: Bearer ${'a'.repeat(length)}`
    expect((await front.call('GET', '/apis', [line])).status).toBe(401)
    expect((await front.call('GET', '/login', [`Authorization: Basic ${'QUFB'.repeat(length / 4)}`])).status).toBe(401)
  })

  it.each([
    ['a blank in the target', 'GET /management/a b HTTP/1.1\r\nHost: front.test\r\nConnection: close\r\n\r\n'],
    ['no Host', 'GET /management/apis HTTP/1.1\r\nConnection: close\r\n\r\n'],
    ['a bare CR in a header', requestBytes('GET', '/management/apis', ['X-A: one\rAuthorization: Basic eA=='])],
    ['two lengths', requestBytes('POST', '/management/login', ['Content-Length: 3', 'Content-Length: 4'], 'abc')],
  ])('is answered with 400 for %s', async (_what, bytes) => {
    const front = await startFront(setUp)
    expect((await front.send(bytes)).status).toBe(400)
    expect(front.handled).toEqual([])
  })

  it.each(['/%', '/%zz', '/%E0%A4%A', '/users/%ff', '/%c0%af'])(
    'is never answered with 500 for the path %s',
    async (path) => {
      const front = await startFront(setUp)
      const answers = [
        await front.call('GET', path),
        await front.call('GET', path, [bearer(await front.login())]),
        await front.call('GET', path, [bearer(await front.login(users.reader))]),
      ]
      for (const { status } of answers) expect([400, 401, 403]).toContain(status)
      expect(front.handled).toEqual([])
    },
  )

  it('answers an absolute target and a target without a path', async () => {
    const front = await startFront(setUp)
    const token = await front.login()
    const absolute = `GET http://front.test/management/users HTTP/1.1\r\nHost: front.test\r\nConnection: close\r\n`
    expect((await front.send(`${absolute}\r\n`)).status).toBe(401)
    expect((await front.send(`${absolute}${bearer(token)}\r\n\r\n`)).status).toBe(403)
    expect((await front.send(`OPTIONS * HTTP/1.1\r\nHost: front.test\r\nConnection: close\r\n\r\n`)).status).toBe(404)
    expect(front.handled).toEqual([])
  })
})
