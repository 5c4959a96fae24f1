import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse, stringify } from 'smol-toml'
import { describe, expect, it } from 'vitest'
import type { ConfigurationView } from '../../../lib/admin-api/schemas/configuration.js'
import { listKeys } from '../../../lib/app/configuration-view.js'
import { checkInterpretation } from '../../../lib/config/check-file.js'
import { deploymentSchema } from '../../../lib/config/checks/known-keys.js'
import { interpretText } from '../../../lib/config/load.js'
import { bearer, document, type Front, startFront, users } from '../../helpers/front.js'
import { folderWith } from '../../helpers/key-files.js'
import { oneSetUp } from '../../helpers/set-ups.js'

const start = Date.parse('2026-03-01T12:00:00Z')

const toml = `
[management_api]
public_paths = ["/apis"]
[management_api.jwt_token_security_handler.token_config]
algorithm = "ES256"
expiry = "$env{EXPIRY}"
[[internal_apis.users]]
user.name = "admin"
user.password = "${users.admin.password}"
user.is_admin = true
[admin_service.wsdl]
enable = true
[transport.http]
password = "Of-another-product"
`

async function serve(): Promise<{ front: Front; file: string; read: () => Promise<ConfigurationView> }> {
  const file = join(folderWith({ 'deployment.toml': toml }), 'deployment.toml')
  const options = { clock: () => start, env: { EXPIRY: '900' } }
  const front = await startFront(oneSetUp, { source: file, options })
  const token = bearer(await front.login())
  return { front, file, read: async () => (await front.call('GET', '/configuration', [token])).json() }
}

const keyIn = ({ keys }: ConfigurationView, name: string): unknown => keys.find(({ key }) => key === name)

describe('the configuration', () => {
  it('has each key with its value, its place, and what it does', async () => {
    const { file, read } = await serve()
    const view = await read()
    expect(view).toMatchObject({ file, readAt: '2026-03-01T12:00:00.000Z', hasChangedOnDisk: false })
    expect(keyIn(view, 'management_api.public_paths')).toEqual({
      key: 'management_api.public_paths',
      value: '["/apis"]',
      origin: 'file',
      position: { file, line: 3, column: 1 },
      class: 'used',
    })
    expect(keyIn(view, 'management_api.jwt_token_security_handler.token_config.expiry')).toMatchObject({
      value: '"900"',
      origin: 'environment',
      names: ['EXPIRY'],
    })
    expect(keyIn(view, 'management_api.login_throttle.max_failures')).toEqual({
      key: 'management_api.login_throttle.max_failures',
      value: '5',
      origin: 'default',
      position: null,
      class: 'used',
    })
    expect(keyIn(view, 'admin_service.wsdl.enable')).toMatchObject({
      value: '',
      class: 'without-effect',
      note: expect.stringContaining('guards no path here'),
    })
    expect(keyIn(view, 'internal_apis.users[0].user.password')).toMatchObject({ value: '***', class: 'risky' })
    expect(keyIn(view, 'transport.http.password')).toMatchObject({ value: '' })
  })

  it('has what check finds, of the file and of what it names', async () => {
    const { file, read } = await serve()
    expect((await read()).findings).toContainEqual({
      class: 'risky',
      key: 'internal_apis.users[0].user.password',
      rule: expect.stringContaining('is in plain text'),
      position: { file, line: 9, column: 1 },
      isFixable: true,
    })
  })

  it('is the one in effect, and says that the file is another by now, or is away', async () => {
    const { front, file, read } = await serve()
    const before = await read()
    writeFileSync(file, toml.replace('"/apis"', '"/proxies"'))
    expect(await read()).toEqual({ ...before, hasChangedOnDisk: true })
    renameSync(file, `${file}.away`)
    expect(await read()).toEqual({ ...before, hasChangedOnDisk: true, isReadableOnDisk: false })
    renameSync(`${file}.away`, file)
    await front.security.reload(file)
    const after = await read()
    expect(after.hasChangedOnDisk).toBe(false)
    expect(keyIn(after, 'management_api.public_paths')).toMatchObject({ value: '["/proxies"]' })
  })

  it('is told of an object too', async () => {
    const front = await startFront(oneSetUp, { source: document({ managementApi: { public_paths: ['/apis'] } }) })
    const view = (await front.call('GET', '/configuration', [bearer(await front.login())])).json<ConfigurationView>()
    expect(view).toMatchObject({ file: null, hasChangedOnDisk: false })
    expect(keyIn(view, 'management_api.public_paths')).toMatchObject({ value: '["/apis"]', position: null })
    expect(keyIn(view, 'internal_apis.users[0].user.password')).toMatchObject({ value: '***' })
  })
})

const marker = 'Marked-3f9a'

/** By another rule than that of the mask: names that may be those of secrets, and every text with a password in it. */
const secretName = /pass|pwd|secret|token|credential|(?:^|_)key$|hash|totp|private|pem/i

/** The values of these keys are names of files, of key stores, of claims and of digests, or lists of tokens by their names. */
const harmless =
  /keystore$|_file$|^file_name$|^key_file$|endpoint|_url$|_uris?$|^claims$|digest|algorithm|_type$|regex|alias|_size$|^typ$|_interval$|_age$|expiry|^default_token_type$|enable|method|^api_tokens$|headers?$|_label$|_msg$|class|handler|generator|provider|validat|persist|impl/i

/** The same with the marker in the place of each text that may be a secret. */
function mark(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map((entry) => mark(entry, name))
  if (typeof value === 'object' && value !== null && !(value instanceof Date)) {
    const isSecrets = name === 'secrets'
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [key, mark(inner, isSecrets ? 'secret' : key)]),
    )
  }
  if (typeof value !== 'string') return value
  if (/^jdbc:/.test(value)) return `${value}${value.includes('?') ? '&' : '?'}user=app&password=${marker}`
  if (/^\w+:\/\/[^$]/.test(value)) return value.replace('://', `://app:${marker}@`)
  return secretName.test(name) && !harmless.test(name) ? `${marker}-${name}` : value
}

/** A document with each key that a schema reads, with the marker for its value. */
function everything(schema: ReturnType<typeof deploymentSchema>, name = ''): unknown {
  const {
    properties,
    additionalProperties: others,
    items,
  } = schema as {
    properties?: Record<string, typeof schema>
    additionalProperties?: typeof schema | boolean
    items?: typeof schema
  }
  if (items?.properties !== undefined) return [everything(items)]
  if (properties === undefined && typeof others !== 'object') return mark('text', name)
  const named = Object.entries(properties ?? {})
  if (typeof others === 'object') named.push(['shop', others])
  return Object.fromEntries(named.map(([key, inner]) => [key, everything(inner, key)]))
}

async function shownOf(text: string): Promise<string> {
  // What a variable stands for is not shown either.
  const env = new Proxy({}, { get: () => marker })
  const read = await interpretText(text, 'deployment.toml', { env })
  const { check } = checkInterpretation({ ...read, text, file: 'deployment.toml' }, [])
  return JSON.stringify([listKeys(check), check.findings])
}

describe('no secret', () => {
  const folder = fileURLToPath(new URL('../../config/deployments/', import.meta.url))
  const files = ['', 'apim/'].flatMap((below) =>
    readdirSync(folder + below)
      .filter((name) => name.endsWith('.toml'))
      .map((name) => below + name),
  )

  it('is looked for in many files', () => {
    expect(files.length).toBeGreaterThan(40)
  })

  it.each(files)('of %s is shown, in any form', async (name) => {
    const marked = stringify(mark(parse(readFileSync(folder + name, 'utf8'))) as object)
    const shown = await shownOf(marked)
    expect(shown.length).toBeGreaterThan(5000)
    expect(shown.match(new RegExp(`.{80}${marker}.{20}`, 'g')) ?? []).toEqual([])
  })

  it('that a schema knows is shown', async () => {
    const document = everything(deploymentSchema())
    expect(JSON.stringify(document).split(marker).length).toBeGreaterThan(30)
    const shown = await shownOf(stringify({ ...(document as object), secrets: { mine: marker } }))
    expect(shown.match(new RegExp(`.{80}${marker}.{20}`, 'g')) ?? []).toEqual([])
  })
})
