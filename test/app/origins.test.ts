import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import express from 'express'
import request from 'supertest'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createSecurity } from '../../lib/index.js'
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
async function frontOf(toml: string) {
  const file = join(folderWith(), 'deployment.toml')
  writeFileSync(file, `${toml.trim()}\n${users}`)
  const log = recordedLog()
  const security = await createSecurity(file, { logger: log.logger })
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
  return { app, file, refusals }
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
