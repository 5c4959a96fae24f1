/**
 * Makes the OpenAPI 3.1 document of what a front answers, from the schemas that its code uses. It is loaded when the document is asked
 * for, and never before.
 *
 * @module
 */

import type * as z from 'zod'
import { packageVersion } from '../core/package-version.js'
import type { DocumentedFront } from './front.js'
import { documentOperation, managementOperations } from './management-operations.js'
import { oauthOperations } from './oauth-operations.js'
import { type Answer, type Content, type Operation, tags } from './operation.js'
import { consoleOperation, operatorOperations, probeOperations } from './operator-operations.js'
import { portalOperations } from './portal-operations.js'
import { RefusalMaker, refusalHeaders } from './refusals.js'
import { type JsonSchema, SchemaCollector } from './schemas.js'
import { securityOf, securitySchemes } from './security.js'
import { userOperations } from './user-operations.js'

/** An OpenAPI document, as far as its parts are told apart here. */
export interface OpenApiDocument {
  readonly openapi: string
  readonly info: object
  readonly tags: readonly object[]
  readonly paths: Readonly<Record<string, object>>
  readonly components: Readonly<Record<string, object>>
}

const description = `What Sallyport answers by itself, in front of an app.

- A path is matched case-insensitively, with or without a slash at its end. GET is answered for HEAD too.
- A method that a path does not have is answered with 405 (\`ERR_METHOD_NOT_ALLOWED\`), and \`Allow\` names those that it has.
- A refusal is \`{"Error", "code"}\`, or \`application/problem+json\` (RFC 9457) for a client that asks for it. A refusal by address has no body, and those of authentication and authorization have none for a client that sends no \`Accept\`.
- Members may be added to answers: clients should ignore those that they do not know.`

/** Makes the document, but for `servers`: where what it describes is mounted. */
export function createDocument(front: DocumentedFront): OpenApiDocument {
  const schemas = new SchemaCollector()
  const refusals = new RefusalMaker(schemas)
  const operations = operationsOf(front)
  const paths: Record<string, Record<string, object>> = {}
  for (const operation of operations) {
    paths[operation.path] ??= pathItem(operation)
    paths[operation.path]![operation.method] = documented(operation, front, { schemas, refusals })
  }
  refusals.addMethodNotAllowed()
  const usedTags = new Set(operations.map(({ tag }) => tag))
  const usedSchemes = new Set(
    operations.flatMap((one) => securityOf(one, front).flatMap((scheme) => Object.keys(scheme))),
  )
  return {
    openapi: '3.1.1',
    info: {
      title: front.mount === 'console' ? "Operators' page" : 'Management API',
      version: packageVersion,
      description,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    tags: Object.entries(tags)
      .filter(([name]) => usedTags.has(name as keyof typeof tags))
      .map(([name, text]) => ({ name, description: text })),
    paths,
    components: {
      schemas: schemas.schemas,
      responses: refusals.shared,
      headers: refusalHeaders,
      securitySchemes: securitySchemes(front, usedSchemes),
    },
  }
}

function operationsOf(front: DocumentedFront): readonly Operation[] {
  const { mount, users, portals, issuer } = front
  if (mount === 'console') {
    const ofUsers = userOperations.filter(({ method }) => users === 'managed' || method === 'get')
    const below = [consoleOperation, ...operatorOperations(front), ...ofUsers, documentOperation]
    return [...portalOperations, ...below.map((operation) => ({ ...operation, path: `/api${operation.path}` }))]
  }
  const ofUsers = users === 'managed' ? userOperations : []
  const ofPortals = portals.length > 0 ? portalOperations.map(atPortal) : []
  const ofServer = issuer === undefined ? [] : oauthOperations(issuer)
  return [
    ...managementOperations(front),
    ...probeOperations,
    ...operatorOperations(front),
    ...ofUsers,
    documentOperation,
    ...ofPortals,
    ...ofServer,
  ]
}

/** Where a portal is mounted is known to the app alone. */
function atPortal(operation: Operation): Operation {
  const parameters = { portal: 'The path that the portal is mounted at, without its first slash.' }
  return { ...operation, path: `/{portal}${operation.path}`, server: '/', parameters }
}

function pathItem({ parameters, server }: Operation): Record<string, object> {
  const list = textParameters('path', parameters)
  return {
    ...(server !== undefined && { servers: [{ url: server }] }),
    ...(list.length > 0 && { parameters: list }),
  }
}

interface Makers {
  readonly schemas: SchemaCollector
  readonly refusals: RefusalMaker
}

function documented(operation: Operation, front: DocumentedFront, { schemas, refusals }: Makers): object {
  const { id, tag, summary, description: text, body, answers, query, requestHeaders } = operation
  const parameters = [...queryParameters(query, schemas), ...textParameters('header', requestHeaders)]
  const successes = Object.entries(answers).map(([status, answer]) => [status, documentedAnswer(answer, schemas)])
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(text !== undefined && { description: text }),
    security: securityOf(operation, front),
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && {
      requestBody: { required: body.isRequired === true, content: contentOf([body], schemas) },
    }),
    responses: { ...Object.fromEntries(successes), ...refusals.responses(operation, front) },
  }
}

function documentedAnswer({ description: text, content, headers }: Answer, schemas: SchemaCollector): object {
  const documentedHeaders = Object.entries(headers ?? {}).map(([name, meaning]) => [
    name,
    { description: meaning, schema: { type: 'string' } },
  ])
  return {
    description: text,
    ...(headers !== undefined && { headers: Object.fromEntries(documentedHeaders) }),
    ...(content !== undefined && { content: contentOf(content, schemas) }),
  }
}

function contentOf(content: readonly Content[], schemas: SchemaCollector): object {
  return Object.fromEntries(
    content.map(({ schema, type = 'application/json' }) => [type, { schema: schemas.convert(schema) }]),
  )
}

function queryParameters(query: z.ZodObject | undefined, schemas: SchemaCollector): readonly object[] {
  return Object.entries(query?.shape ?? {}).map(([name, schema]) => {
    const isRequired = !(schema as z.ZodType).safeParse(undefined).success
    const { description: text, ...type }: JsonSchema = schemas.convert(schema as z.ZodType)
    return { name, in: 'query', ...(isRequired && { required: true }), description: text, schema: type }
  })
}

function textParameters(place: 'path' | 'header', meanings: Readonly<Record<string, string>> = {}): readonly object[] {
  return Object.entries(meanings).map(([name, text]) => ({
    name,
    in: place,
    ...(place === 'path' && { required: true }),
    description: text,
    schema: { type: 'string' },
  }))
}
