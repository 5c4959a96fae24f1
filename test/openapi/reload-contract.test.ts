import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bearer, startFront, users } from '../helpers/front.js'
import { folderWith } from '../helpers/key-files.js'
import { oneSetUp } from '../helpers/set-ups.js'
import { AnswerChecks, type ServedDocument } from './answer-checks.js'
import { acceptJson, json } from './management-stage.js'

const toml = (more = ''): string => `
[management_api.jwt_token_security_handler]
token_config.algorithm = "ES256"
[[management_api.api_tokens]]
name = "ci"
hash = "${'0'.repeat(64)}"
expires = 2099-01-01T00:00:00Z
[[internal_apis.users]]
user.name = "admin"
user.password = "${users.admin.password}"
user.is_admin = true
${more}`

const misspelled = toml('[management_api.cors]\nallowed_origin = "*"')
const changed = toml('[management_api.cors]\nallowed_origins = "https://a.example"')

describe('the answers about a configuration in a file', () => {
  it('are as documented', async () => {
    const file = join(folderWith({ 'deployment.toml': toml() }), 'deployment.toml')
    const front = await startFront(oneSetUp, { source: file })
    const token = bearer(await front.login())
    const call = (method: string, path: string, body?: object) =>
      front.call(method, path, [token, acceptJson, ...(body ? [json] : [])], body && JSON.stringify(body))
    const checks = new AnswerChecks((await call('GET', '/openapi.json')).json<ServedDocument>())
    async function ask(id: string, status: number, method: string, path: string, body?: object): Promise<object> {
      const answer = await call(method, path, body)
      expect(answer.status, answer.body).toBe(status)
      checks.check(id, answer)
      return answer.json()
    }
    await ask('getConfiguration', 200, 'GET', '/configuration')
    await ask('listApiTokens', 200, 'GET', '/api-tokens')
    writeFileSync(file, misspelled)
    await ask('previewReload', 200, 'GET', '/reload')
    await ask('reload', 400, 'POST', '/reload')
    writeFileSync(file, changed)
    const { version } = (await ask('previewReload', 200, 'GET', '/reload')) as { readonly version: string }
    await ask('reload', 409, 'POST', '/reload', { version: 'another' })
    await ask('reload', 400, 'POST', '/reload', { versoin: version })
    await ask('reload', 200, 'POST', '/reload', { version })
    await ask('reload', 200, 'POST', '/reload')
    await ask('getConfiguration', 200, 'GET', '/configuration')
  })
})
