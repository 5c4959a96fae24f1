/** The JSON Schema for editors says of a file what `parseConfig` says, as far as it can. */

import { readdirSync, readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { parse } from 'smol-toml'
import { describe, expect, it } from 'vitest'
import { createDeploymentJsonSchema } from '../../lib/config/json-schema.js'
import { parseConfig } from '../../lib/config/parse.js'
import { ConfigError } from '../../lib/core/errors.js'

const schema = createDeploymentJsonSchema()
const validate = new Ajv({ allErrors: true, strictTypes: false, allowUnionTypes: true }).compile(schema)

const examples = new URL('../../examples/', import.meta.url)
const files = ['deployments/', 'deployments/apim/', '../../examples/']
  .map((folder) => new URL(folder, import.meta.url))
  .flatMap((folder) => readdirSync(folder).map((name) => new URL(name, folder)))
  .filter(({ pathname }) => pathname.endsWith('.toml'))

/** As an editor sees it: a date is a text. */
const asJson = (document: object): unknown => JSON.parse(JSON.stringify(document))

function startsWith(document: object): boolean {
  try {
    parseConfig(document, { env: {} })
    return true
  } catch (error) {
    // A variable that is not set, and what comes of that, is no matter of an editor.
    if (error instanceof ConfigError) return error.problems.some(({ rule }) => /^needs the environment/.test(rule))
    throw error
  }
}

describe('the JSON Schema of deployment.toml', () => {
  it('is checked against all files', () => {
    expect(files.length).toBeGreaterThan(45)
    expect(files.some(({ href }) => href.startsWith(examples.href))).toBe(true)
  })

  it.each(files.map((url) => [url.pathname.split('/').at(-1)!, url] as const))('accepts %s, which starts', (_, url) => {
    const document = parse(readFileSync(url, 'utf8'))
    expect(startsWith(document)).toBe(true)
    expect(validate(asJson(document)), JSON.stringify(validate.errors)).toBe(true)
  })

  it.each([
    ['a key that is not known', { management_api: { cors: { allowed_orgins: '*' } } }],
    ['a key above the first header', { allowed_origins: '*' }],
    ['a list in place of a flag', { management_api: { cors: { enable: [] } } }],
    ['a word in place of a flag', { management_api: { cors: { enable: 'yes' } } }],
    ['a number out of its range', { management_api: { login_throttle: { max_failures: 1000 } } }],
    ['a number in place of a duration', { management_api: { login_throttle: { window: 5 } } }],
    ['a policy that is none', { management_api: { authorization_handler: { default_policy: 'open' } } }],
    ['an entry without its path', { management_api: { authorization_handler: { resources: [{ roles: ['a'] }] } } }],
    ['a text in place of a list of addresses', { web_app: { control_access: { enable: true, allow: '10.0.0.1' } } }],
    ['a portal that is no table', { portal: { shop: true } }],
    ['a plain text in place of a hash', { oauth: { service_provider: [{ name: 'a', client_secret: 'plain' }] } }],
  ])('refuses %s, as the start does', (_, document) => {
    expect(startsWith(document)).toBe(false)
    expect(validate(document)).toBe(false)
  })

  it.each([
    [
      'numbers and flags in quotes',
      { management_api: { cors: { enable: 'True' }, login_throttle: { max_failures: '3' } } },
    ],
    ['a placeholder in place of any value', { management_api: { cors: { enable: '$env{CORS}' } } }],
    ['a placeholder in a list', { portal: { origins: ['$env{ORIGIN}'] } }],
    ['tables of other products', { apim: { cors: { allow_origins: '*' } }, tasks: [{ a: 1 }] }],
    ['ids as names of tables', { datasource: { USERS: { url: 'jdbc:postgresql://h/x', username: 'u' } } }],
  ])('accepts %s', (_, document) => {
    expect(startsWith(document)).toBe(true)
    expect(validate(document), JSON.stringify(validate.errors)).toBe(true)
  })

  it('describes each key that is read, with its value and its default', () => {
    const undescribed: string[] = []
    const visit = (node: Record<string, unknown>, path: string): void => {
      const { properties = {}, items, additionalProperties: others } = node as Record<string, Record<string, unknown>>
      for (const [name, inner] of Object.entries(properties)) visit(inner as typeof node, `${path}.${name}`)
      for (const inner of [items, others]) if (inner && typeof inner === 'object') visit(inner, `${path}.*`)
      const isTable = 'properties' in node || 'items' in node || 'additionalProperties' in node
      if (!isTable && !('description' in node) && !path.endsWith('.*')) undescribed.push(path)
    }
    visit(schema as Record<string, unknown>, '')
    expect(undescribed).toEqual([])
    expect(JSON.stringify(schema)).toContain(
      'Life of a token.\\n\\nValue: number from 1 to 2592000 (seconds, at most 30 days).\\n\\nDefault: `3600`.',
    )
  })
})
