import { validate } from '@readme/openapi-parser'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { basic, bearer, document, type Front, type FrontOptions, startFront, users } from '../helpers/front.js'
import { startManagedFront } from '../helpers/managed-front.js'
import { oneSetUp } from '../helpers/set-ups.js'
import { operationsOf, type ServedDocument } from './answer-checks.js'
import { acceptJson, startStage } from './management-stage.js'

async function served(options: FrontOptions = {}): Promise<ServedDocument> {
  const front = await startFront(oneSetUp, options)
  return (await front.call('GET', '/openapi.json', [bearer(await front.login())])).json<ServedDocument>()
}

const idsOf = (given: ServedDocument): readonly string[] => operationsOf(given).map(({ operationId }) => operationId)

const isBasic = { managementApi: { basic_security_handler: { enable: true } } }

describe('the OpenAPI document', () => {
  it('is valid, and each of its schemas is one', async () => {
    const { document: given } = await startStage()
    expect(given.openapi).toMatch(/^3\.1\./)
    expect(await validate(structuredClone(given) as never)).toEqual({
      valid: true,
      warnings: [],
      specification: 'OpenAPI',
    })
    const ajv = new Ajv2020({ strict: false })
    const isSchema = ajv.getSchema('https://json-schema.org/draft/2020-12/schema')!
    for (const schema of Object.values(given.components['schemas']!)) expect(isSchema(schema)).toBe(true)
  })

  it('describes each parameter, each member and each answer', async () => {
    const { document: given } = await startStage()
    const lacking: string[] = []
    const look = (value: unknown, path: string): void => {
      if (typeof value !== 'object' || value === null) return
      const { properties } = value as { readonly properties?: Readonly<Record<string, object>> }
      for (const [name, schema] of Object.entries(properties ?? {}))
        if (!('description' in schema) && !('$ref' in schema)) lacking.push(`${path}.${name}`)
      for (const [name, inner] of Object.entries(value)) look(inner, `${path}.${name}`)
    }
    look(given.components['schemas'], '')
    for (const { parameters = [] } of operationsOf(given)) {
      for (const one of parameters) if (!('description' in one)) lacking.push(one.name)
    }
    expect(lacking).toEqual([])
  })

  it('names the mount as the request has it', async () => {
    expect((await served()).servers).toEqual([{ url: '/management' }])
  })

  it('is for every caller who is known, and for no other', async () => {
    const front = await startFront()
    expect((await front.call('GET', '/openapi.json')).status).toBe(401)
    const reader = bearer(await front.login(users.reader))
    expect((await front.call('GET', '/OpenAPI.json/', [reader])).status).toBe(200)
    expect((await front.call('HEAD', '/openapi.json', [reader])).status).toBe(200)
    expect((await front.call('POST', '/openapi.json', [reader, acceptJson])).header('allow')).toBe('GET, HEAD')
    expect(front.handled).toEqual([])
  })

  it('is left to the app with resources: false', async () => {
    const front = await startFront(oneSetUp, { mount: { resources: false } })
    expect((await front.call('GET', '/openapi.json', [bearer(await front.login())])).json()).toHaveProperty('auth')
    expect(front.handled).toEqual(['GET /openapi.json'])
  })

  it('has nothing of users while they come from the file', async () => {
    expect(idsOf(await served())).not.toContain('listUsers')
    expect(idsOf(await served())).toContain('listSessions')
  })

  it('has no login, and HTTP Basic everywhere, where that is switched on', async () => {
    const front = await startFront(oneSetUp, { source: document(isBasic) })
    const answer = await front.call('GET', '/openapi.json', [basic(users.admin.name, users.admin.password)])
    const given = answer.json<ServedDocument>()
    expect(idsOf(given)).not.toContain('login')
    expect(Object.keys(given.components['securitySchemes']!)).toEqual(['password'])
    for (const { security, responses, path } of operationsOf(given)) {
      if (path.startsWith('/health/')) continue
      expect(security).toEqual([{ password: [] }])
      expect(responses).toHaveProperty('429')
    }
  })
})

/** What a front answers a method that a path does not have. */
async function allowedBy(front: Front, path: string, authorization: string): Promise<string | undefined> {
  return (await front.call('QUERY', path, [authorization, acceptJson])).header('allow')
}

describe('a path of the document', () => {
  it('has the methods that Allow names, and never reaches the app', async () => {
    const stage = await startStage()
    for (const [path, item] of Object.entries(stage.document.paths)) {
      const example = path.replace(/\{\w+\}/, 'x')
      const allow = await allowedBy(stage.front, example, stage.root)
      const methods = allow?.split(', ').filter((method) => method !== 'HEAD')
      const documented = Object.keys(item).filter((key) => key !== 'parameters')
      // Its other methods are for a user whose name ends so.
      if (path === '/users/{id}/sessions') documented.push('get', 'patch')
      expect(methods?.map((method) => method.toLowerCase()).sort(), path).toEqual(documented.sort())
    }
    expect(stage.front.handled).toEqual([])
  })

  it('is any path that is not left to the app', async () => {
    const front = await startManagedFront()
    const stage = await startStage()
    const first = new Set(Object.keys(stage.document.paths).map((path) => path.split('/')[1]))
    const others = [
      'applications',
      'session',
      'lock',
      'user',
      'openapi',
      'openapi.yaml',
      'docs',
      'metric',
      'health2',
      '',
    ]
    const token = bearer(await front.login({ name: 'root', password: 'Root-password-1' }))
    for (const path of others) {
      await front.call('GET', `/${path}`, [token])
      expect(front.handled.at(-1), path).toBe(`GET /${path}`)
      expect(first.has(path)).toBe(false)
    }
  })
})
