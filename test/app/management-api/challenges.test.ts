import { describe, expect, it } from 'vitest'
import { basic, bearer, document, startFront, users } from '../../helpers/front.js'
import { pairSetUps, twoSetUps } from '../../helpers/set-ups.js'

const basicChallenge = 'Basic realm="Sallyport", charset="UTF-8"'
const bearerChallenge = 'Bearer realm="Sallyport"'

// Covers: A14 C04
describe.each(pairSetUps)('WWW-Authenticate on $name', (setUp) => {
  it.each([[[]], [['Authorization: Bearer some.token.text']], [[basic('admin', 'a-wrong-password')]]])(
    'is Basic with a charset at /login for %j',
    async (lines) => {
      const front = await startFront(setUp)
      const answer = await front.call('GET', '/login', lines)
      expect(answer.status).toBe(401)
      expect(answer.header('www-authenticate')).toBe(basicChallenge)
    },
  )

  it.each(['/apis', '/users', '/logout', '/jwks/keys', '/login/more'])(
    'is Bearer without an error at %s when no credential was sent',
    async (path) => {
      const front = await startFront(setUp)
      const answer = await front.call('GET', path)
      expect(answer.status).toBe(401)
      expect(answer.header('www-authenticate')).toBe(bearerChallenge)
    },
  )

  it.each(['/apis', '/logout'])(
    'is Bearer at %s for a good name and password, which are not taken there',
    async (path) => {
      const front = await startFront(setUp)
      const answer = await front.call('GET', path, [basic(users.admin.name, users.admin.password)])
      expect(answer.status).toBe(401)
      expect(answer.header('www-authenticate')).toBe(bearerChallenge)
      expect(front.handled).toEqual([])
    },
  )

  it('says invalid_token to a token that is not good', async () => {
    const front = await startFront(setUp)
    const answer = await front.call('GET', '/apis', [bearer('some.token.text')])
    expect(answer.status).toBe(401)
    expect(answer.header('www-authenticate')).toMatch(/^Bearer realm="Sallyport", error="invalid_token"/)
  })

  it('says invalid_request, 400, to two Authorization lines', async () => {
    const front = await startFront(setUp)
    const token = await front.login()
    const answer = await front.call('GET', '/apis', [bearer(token), bearer(token)])
    expect(answer.status).toBe(400)
    expect(answer.header('www-authenticate')).toMatch(/^Bearer realm="Sallyport", error="invalid_request"/)
    expect(front.handled).toEqual([])
  })

  it('says insufficient_scope with 403', async () => {
    const front = await startFront(setUp)
    const answer = await front.call('GET', '/users', [bearer(await front.login(users.reader))])
    expect(answer.status).toBe(403)
    expect(answer.header('www-authenticate')).toBe('Bearer realm="Sallyport", error="insufficient_scope"')
  })

  it('never has the misspelt header of WSO2', async () => {
    const front = await startFront(setUp)
    const { headerLines } = await front.call('GET', '/apis')
    expect(headerLines.filter((line) => line.startsWith('WWW_'))).toEqual([])
  })
})

describe.each(twoSetUps)('with Basic on every resource, on $name, WWW-Authenticate', (setUp) => {
  const source = document({
    managementApi: { basic_security_handler: { enable: true } },
    jwt: { enable: false },
  })

  it('names both schemes to a client that is no browser script', async () => {
    const front = await startFront(setUp, { source })
    const answer = await front.call('GET', '/apis')
    expect(answer.status).toBe(401)
    expect(answer.header('www-authenticate')).toContain(basicChallenge)
  })

  it.each([['Origin: http://front.test'], ['Sec-Fetch-Mode: cors'], ['Sec-Fetch-Site: same-origin']])(
    'does not name Basic to a browser script, known by %s',
    async (line) => {
      const front = await startFront(setUp, { source })
      for (const lines of [[line], [line, basic('admin', 'a-wrong-password')]]) {
        const answer = await front.call('GET', '/apis', lines)
        expect(answer.status).toBe(401)
        expect(answer.header('www-authenticate')).toBeTruthy()
        expect(answer.header('www-authenticate')).not.toContain('Basic')
      }
    },
  )
})
