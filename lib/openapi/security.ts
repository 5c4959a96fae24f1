/**
 * What requests are sent with: the security schemes of the document.
 *
 * @module
 */

import type { DocumentedFront } from './front.js'
import type { Operation } from './operation.js'

type Requirement = Readonly<Record<string, readonly string[]>>

/** Any one of these is enough for the operation; none: it needs nothing. */
export function securityOf(operation: Operation, front: DocumentedFront): readonly Requirement[] {
  const { mount, authentication, portals } = front
  switch (operation.access) {
    case 'anybody':
    case 'visitor':
    case 'public':
      return []
    case 'client':
      return [{ clientSecret: [] }, {}]
    case 'oauth':
      return [{ accessToken: [] }]
    case 'portal':
      return portals.map(({ name }) => ({ [sessionScheme(name)]: [] }))
    default:
      if (mount === 'console') return portals.map(({ name }) => ({ [sessionScheme(name)]: [] }))
      return [operation.access === 'login' || authentication === 'basic' ? { password: [] } : { token: [] }]
  }
}

function sessionScheme(portal: string): string {
  return `session_${portal}`
}

/** The schemes that operations name. */
export function securitySchemes(
  { portals }: DocumentedFront,
  used: ReadonlySet<string>,
): Readonly<Record<string, object>> {
  const sessions = portals.map(({ name, cookieName }) => [
    sessionScheme(name),
    { type: 'apiKey', in: 'cookie', name: cookieName, description: sessionText(name) },
  ])
  const all: Readonly<Record<string, object>> = { ...schemes, ...Object.fromEntries(sessions) }
  return Object.fromEntries(Object.entries(all).filter(([name]) => used.has(name)))
}

const schemes = {
  password: { type: 'http', scheme: 'basic', description: 'A name and a password, over TLS.' },
  token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'The token of a login.' },
  accessToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'An access token.' },
  clientSecret: {
    type: 'http',
    scheme: 'basic',
    description: 'The client and its secret. A client that has none sends `client_id` in the form.',
  },
}

function sessionText(portal: string): string {
  return (
    `The session of the portal ${portal}. A request that changes something needs \`Origin\` of this site as well. Over plain ` +
    'HTTP, where that is allowed, the name has no `__Host-`.'
  )
}
