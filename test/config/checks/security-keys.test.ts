import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { otherTables } from '../../../lib/config/checks/our-tables.js'
import { securityNote } from '../../../lib/config/checks/security-keys.js'

const keys = readFileSync(new URL('../wso2-keys.tsv', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => line.split('\t', 1)[0]!)

const source = readFileSync(new URL('../../../lib/config/checks/security-keys.ts', import.meta.url), 'utf8')
const patterns = source.match(/[\w.]+\.\*\*/g) ?? []

it('every pattern is about a key that the products know, or a table of theirs', () => {
  const roots = new Set([...keys.map((key) => key.split('.')[0]!), ...otherTables])
  expect(patterns.length).toBeGreaterThan(60)
  const idle = patterns.filter((pattern) => {
    const start = pattern.replace(/\.\*\*$/, '')
    return !keys.some((key) => key === start || key.startsWith(`${start}.`)) && !roots.has(start)
  })
  // These are in real files and documents only.
  expect(idle).toEqual(['apim.cors.**', 'admin_console.rest_api.**', 'runtime_secrets.**'])
})

it.each([
  'cors.allowed_origins',
  'apim.cors.allow_origins',
  'catalinaValves.remoteIpValve.trustedProxies',
  'session.timeout.idle_session_timeout',
  'oauth.hash_tokens_and_secrets',
  'recaptcha.enabled',
  'saml.signing_alg',
  'resource_access_control.default_access_allow',
  'transport.passthru_https.listener.ssl_profile',
])('%s is about security', (key) => {
  expect(securityNote(key.split('.'))).toBeDefined()
})

it.each(['apim.ai.endpoint', 'mediation.flow', 'database.apim_db.url', 'server.offset', 'encryption.key', 'catalina'])(
  '%s is not',
  (key) => {
    expect(securityNote(key.split('.'))).toBeUndefined()
  },
)
