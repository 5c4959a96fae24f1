import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import express from 'express'
import request from 'supertest'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createSecurity } from '../../lib/index.js'
import { createApiToken, hashApiToken } from '../../lib/tokens/machines/api-token-text.js'
import { folderWith } from '../helpers/key-files.js'
import { recordedLog } from '../helpers/recorded-log.js'

const users = `
[[internal_apis.users]]
user.name = "root"
user.password = "Correct-horse-1"
user.is_admin = true

[[internal_apis.users]]
user.name = "reader"
user.password = "Battery-staple-2"
`

/** An app behind the rules of a file, and what its log says of refusals. */
async function frontOf(toml: string, clock?: () => number) {
  const file = join(folderWith(), 'deployment.toml')
  writeFileSync(file, `${toml.trim()}\n${users}`)
  const log = recordedLog()
  const security = await createSecurity(file, { logger: log.logger, ...(clock && { clock }) })
  onTestFinished(() => security.close())
  const app = express()
  app.use('/management', security.managementApi({ resources: false }))
  app.use('/carbon', security.portal('management_console'))
  app.use(security.webApps())
  app.use((_request, response) => void response.send('passed'))
  const refusals = () =>
    log.entries
      .filter(({ fields }) => (fields as { event?: string }).event === 'refusal')
      .map(({ fields }) => fields as { code: string; rule?: string; position?: { file: string; line: number } })
  return { app, file, security, entries: log.entries, refusals }
}

const line = (toml: string, part: string): number =>
  toml
    .trim()
    .split('\n')
    .findIndex((text) => text.includes(part)) + 1

describe('the log line of a refusal names the key of the rule, and its line in the file', () => {
  const rows: readonly (readonly [key: string, toml: string, part: string, method: 'get' | 'post', path: string])[] = [
    [
      'management_api.control_access.allow',
      '[management_api.control_access]\nenable = true\nallow = ["10.0.0.0/8"]',
      'allow =',
      'get',
      '/management/apis',
    ],
    [
      'management_api.authorization_handler.resources[1]',
      '[[management_api.authorization_handler.resources]]\npath = "/users"\n\n[[management_api.authorization_handler.resources]]\npath = "/apis"\nroles = ["publisher"]',
      'roles =',
      'get',
      '/management/apis',
    ],
    [
      'management_api.authorization_handler.default_policy',
      '[management_api.authorization_handler]\ndefault_policy = "deny"',
      'default_policy',
      'get',
      '/management/apis',
    ],
    [
      'user_access.make_non_admin_users_read_only',
      '[user_access]\nmake_non_admin_users_read_only = true',
      'make_non',
      'post',
      '/management/apis',
    ],
    [
      'web_app.control_access.allow',
      '[web_app.control_access]\nenable = true\nallow = ["10.0.0.0/8"]',
      'allow =',
      'get',
      '/shop',
    ],
    [
      'admin_console.control_access.allow',
      '[admin_console.control_access]\nenable = true\nallow = ["10.0.0.0/8"]',
      'allow =',
      'get',
      '/carbon/',
    ],
    [
      'servlet_access_control_filter[0]',
      '[[servlet_access_control_filter]]\nfilter_name = "one"\nallow_ip_regex = "10.0.0.1"\nurl_pattern = "/shop/*"',
      '[[servlet',
      'get',
      '/shop',
    ],
  ]

  it.each(rows)('%s', async (key, toml, part, method, path) => {
    const { app, file, refusals } = await frontOf(toml)
    const login = await request(app).get('/management/login').auth('reader', 'Battery-staple-2')
    const token = (login.body as { AccessToken?: string }).AccessToken ?? ''
    const answer = await request(app)[method](path).set('Authorization', `Bearer ${token}`).set('Accept', 'text/html')
    expect(answer.status).toBe(403)
    expect(answer.text).not.toContain(key)
    const place = key.includes('resources') ? line(toml, '[[management') + 3 : line(toml, part)
    expect(refusals().at(-1)).toMatchObject({ rule: key, position: { file, line: place } })
  })

  it.each([
    ['management_api.protocols', '[management_api]\nprotocols = "https"', 'protocols', '/management/login'],
    ['portal.allow_insecure_http', '[portal]\nallow_insecure_http = false', 'allow_insecure', '/carbon/login'],
  ])('%s, which refuses passwords over plain HTTP', async (key, toml, part, path) => {
    const { app, file, refusals } = await frontOf(toml)
    const sent = request(app).get(path).auth('reader', 'Battery-staple-2').set('X-Forwarded-For', '192.0.2.1')
    expect((await sent).status).toBe(403)
    const expected = { code: 'ERR_HTTPS_REQUIRED', rule: key, position: { file, line: line(toml, part) } }
    expect(refusals().at(-1)).toMatchObject({ ...expected, help: 'docs/errors.md#err_https_required' })
  })

  it.each([['portal.origins', '[portal]\norigins = ["https://shop.example"]', 'origins', '/carbon/session']])(
    '%s, which refuses pages of other sites',
    async (key, toml, part, path) => {
      const { app, file, refusals } = await frontOf(toml)
      const sent = request(app).post(path).set('Origin', 'https://other.example')
      expect((await sent).status).toBe(403)
      expect(refusals().at(-1)).toMatchObject({ rule: key, position: { file, line: line(toml, part) } })
    },
  )

  it('internal_apis.file_user_store.enable, which keeps the users in the file', async () => {
    const toml = '[internal_apis.file_user_store]\nenable = true'
    const file = join(folderWith(), 'deployment.toml')
    writeFileSync(file, `${toml}\n${users}`)
    const log = recordedLog()
    const security = await createSecurity(file, { logger: log.logger })
    onTestFinished(() => security.close())
    const app = express().use('/management', security.managementApi())
    const login = await request(app).get('/management/login').auth('root', 'Correct-horse-1')
    const { AccessToken } = login.body as { AccessToken: string }
    await request(app).get('/management/users').set('Authorization', `Bearer ${AccessToken}`).expect(403)
    expect(log.entries.at(-1)?.fields).toMatchObject({
      rule: 'internal_apis.file_user_store.enable',
      position: { file, line: 2 },
    })
  })

  it('is told by a default without a line', async () => {
    const { app, refusals } = await frontOf('')
    const login = await request(app).get('/management/login').auth('reader', 'Battery-staple-2')
    const { AccessToken } = login.body as { AccessToken: string }
    await request(app).get('/management/users').set('Authorization', `Bearer ${AccessToken}`)
    expect(refusals().at(-1)).toMatchObject({ code: 'ERR_ADMIN_REQUIRED', rule: expect.stringMatching(/resources/) })
    expect(refusals().at(-1)?.position).toBeUndefined()
  })
})

describe('the log names the API token that was refused, why, and where it stands in the file', () => {
  const token = createApiToken()
  const successor = createApiToken()
  const toml = `
[[management_api.api_tokens]]
name = "other"
hash = "${hashApiToken(successor)}"
expires = 2027-03-01T00:00:00Z

[[management_api.api_tokens]]
name = "deploy"
hash = "${hashApiToken(token)}"
expires = 2027-03-01T00:00:00Z
roles = ["release"]
paths = ["/apis"]`
  const start = Date.parse('2027-02-01T00:00:00Z')
  const entryLine = line(toml, 'name = "deploy"') - 1

  /** The lines of refused credentials, and how a request with a text is answered. */
  async function deployFront(more = '') {
    let now = start
    const front = await frontOf(`${toml}\n${more}`, () => now)
    const call = (text: string, path = '/apis') =>
      request(front.app).get(`/management${path}`).set('Authorization', `Bearer ${text}`).set('Accept', 'text/plain')
    const reasons = () =>
      front.entries.filter(({ message }) => message.includes('was refused')).map(({ fields }) => fields)
    const wait = (milliseconds: number): void => {
      now += milliseconds
    }
    return { ...front, call, reasons, wait }
  }

  const named = { kind: 'api', subject: 'API/deploy' }
  const entry = { rule: 'management_api.api_tokens[1]', position: { line: entryLine } }

  it('used from a wrong address: with that address, once a minute; the client learns nothing', async () => {
    const { file, call, reasons, wait } = await deployFront('allow = ["10.0.0.0/8"]')
    const answer = await call(token)
    const stranger = await call('made-up')
    expect([answer.status, answer.text]).toEqual([401, stranger.text])
    await call(token)
    const allow = { rule: 'management_api.api_tokens[1].allow', position: { file, line: entryLine + 6 } }
    const expected = { ...named, ...allow, reason: 'its address is not allowed', address: '127.0.0.1' }
    expect(reasons()).toMatchObject([expected])
    wait(60_000)
    await call(token)
    expect(reasons()).toMatchObject([expected, expected])
    expect(JSON.stringify(reasons())).not.toContain(token)
  })

  it('used after its end', async () => {
    const { call, reasons, wait } = await deployFront()
    wait(Date.parse('2027-03-01T00:00:00Z') - start)
    expect((await call(token)).status).toBe(401)
    expect((await call(successor)).status).toBe(401)
    expect(reasons()).toMatchObject([
      { ...named, ...entry, reason: 'it has expired' },
      { subject: 'API/other', rule: 'management_api.api_tokens[0]', reason: 'it has expired' },
    ])
  })

  it('used after it was revoked, on one of its paths or not', async () => {
    const { security, call, reasons } = await deployFront()
    expect((await call(token)).status).toBe(200)
    await security.tokens.revokeUser('API/deploy')
    expect((await call(token)).status).toBe(401)
    expect((await call(token, '/whoami')).status).toBe(401)
    expect(reasons()).toMatchObject([{ ...named, ...entry, reason: 'it was revoked' }])
  })

  it('but not one that the file does not have', async () => {
    const { call, reasons } = await deployFront()
    await call(createApiToken())
    expect(reasons()).toEqual([expect.objectContaining({ kind: 'api', subject: undefined })])
    expect(reasons()).not.toContainEqual(expect.objectContaining({ rule: expect.anything() }))
  })

  it('on a path that it does not open', async () => {
    const { file, call, refusals } = await deployFront()
    expect((await call(token, '/whoami')).status).toBe(403)
    const paths = { rule: 'management_api.api_tokens[1].paths', position: { file, line: line(toml, 'paths =') } }
    expect(refusals().at(-1)).toMatchObject({ code: 'ERR_PATH_DENIED', subject: 'API/deploy', ...paths })
  })
})
