import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createSecurity, type Security } from '../../lib/app/create-security.js'

/** What somebody who explains a request has the server ask. */
const asked: string[] = []

const issuer = createServer((request, response) => {
  asked.push(request.url ?? '')
  response.end('{}')
})

let security: Security

beforeAll(async () => {
  await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`
  const provider = { name: 'staff', issuer: url, client_id: 'c', client_secret: 'a-secret-of-a-client' }
  security = await createSecurity(
    {
      internal_apis: { users: [{ user: { name: 'admin', password: 'correct horse battery' } }] },
      management_api: { trusted_issuer: { issuer: url, audience: 'api', allow_unmapped: true } },
      identity_provider: [{ ...provider, allow_unmapped: true }],
      portal: { front: { sign_in: ['local', 'staff'] } },
    },
    { logger: { info() {}, warn() {}, error() {} } },
  )
})

afterAll(async () => {
  await security.close()
  issuer.close()
})

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

it('a token of a trusted issuer is explained without asking the issuer', async () => {
  const { issuer: iss } = security.config.managementApi.trustedIssuer!
  const token = `${encode({ alg: 'RS256', typ: 'at+jwt', kid: 'a' })}.${encode({ iss })}.AAAA`
  const explained = await security.explain({ path: '/x', headers: { Authorization: `Bearer ${token}` } })
  expect(explained).toMatchObject({ outcome: 'refused', status: 503, code: 'ERR_STORE_UNAVAILABLE' })
  expect(asked).toEqual([])
})

it('a sign-in by a provider is explained without asking the provider', async () => {
  const explained = await security.explain({ mount: 'portal front', path: '/login/staff' })
  expect(explained).toMatchObject({ outcome: 'refused', code: 'ERR_IDENTITY_PROVIDER' })
  expect(asked).toEqual([])
})

it('a form whose body never comes is explained at once', async () => {
  const headers = {
    'Content-Type': 'application/x-www-form-urlencoded',
    'Content-Length': '20',
    'Sec-Fetch-Site': 'same-origin',
  }
  const explained = await security.explain({ mount: 'portal front', path: '/login', method: 'POST', headers })
  expect(explained).toMatchObject({ outcome: 'refused', status: 400, code: 'ERR_REQUEST_INVALID' })
})
