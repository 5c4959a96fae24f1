/**
 * How an operation is described, before it becomes a part of the OpenAPI document.
 *
 * @module
 */

import * as z from 'zod'

/**
 * What a request is sent with. At the mount of the document: nothing (`anybody`), what a login gave, of any caller or of an administrator,
 * or a name and a password (`login`). At a portal: nothing (`visitor`), or its session (`portal`). At the authorization server: the
 * secret of a client where it has one (`client`), or an access token (`oauth`). `public`: nothing, and no address list of the mount
 * refuses it.
 */
export type Access =
  | ('anybody' | 'caller' | 'administrator' | 'login')
  | ('visitor' | 'portal')
  | ('client' | 'oauth')
  | 'public'

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'

export interface Content {
  readonly schema: z.ZodType
  /** Media type. @defaultValue `'application/json'` */
  readonly type?: string
}

export interface Answer {
  readonly description: string
  /** `undefined`: the answer has no body. */
  readonly content?: readonly Content[]
  /** What the headers say, by name. */
  readonly headers?: Readonly<Record<string, string>>
}

/** One verb of one path. */
export interface Operation {
  readonly method: Method
  /** Below the server, with the names of parameters in braces. */
  readonly path: string
  /** @defaultValue the mount that the document is of */
  readonly server?: string
  /** Name of the operation, which no other has: a function of a generated client. */
  readonly id: string
  readonly tag: TagName
  readonly summary: string
  readonly description?: string
  readonly access: Access
  /** What the parameters in the path are, by name. */
  readonly parameters?: Readonly<Record<string, string>>
  /** What the headers of the request are, by name. */
  readonly requestHeaders?: Readonly<Record<string, string>>
  readonly query?: z.ZodObject
  readonly body?: Content & { readonly isRequired?: boolean }
  readonly answers: Readonly<Record<number, Answer>>
  /** Why a request is refused, by status: beside what holds for all operations with the same access. */
  readonly refusals?: Readonly<Record<number, string>>
  /** Whether a refusal is a page for a browser that has sent a form. */
  readonly isPage?: boolean
}

type Details = Omit<Operation, 'method' | 'path' | 'id' | 'tag' | 'summary' | 'access'>

/** Describes operations of one tag, which are sent with the same. `request`: method and path. */
export function operationWith(tag: TagName, access: Access) {
  return (request: `${Uppercase<Method>} /${string}`, id: string, summary: string, details: Details): Operation => {
    const [method, path] = request.split(' ') as [string, string]
    return { method: method.toLowerCase() as Method, path, id, tag, summary, access, ...details }
  }
}

/** Groups of operations, in the order of the document. */
export const tags = {
  login: 'Tokens of the management API.',
  sessions: 'Who is signed in, with what, and how that ends.',
  locks: 'Logins that are refused after failed ones.',
  users: 'Users and their passwords.',
  roles: 'Roles and who has them.',
  events: 'What has happened of late.',
  audit: 'What was done, in a trail that shows whether it was changed.',
  health: 'How the server is.',
  metrics: 'What the server has done, in numbers.',
  configuration: 'The configuration, and who it lets in.',
  console: "The operators' page.",
  portal: 'Sign-in to a portal, by a browser.',
  oauth: 'The authorization server.',
  document: 'This document.',
} as const

export type TagName = keyof typeof tags

/** An answer with a JSON body. */
export function json(description: string, schema: z.ZodType): Answer {
  return { description, content: [{ schema }] }
}

/** An answer with a page. */
export function html(description: string): Answer {
  return { description, content: [{ schema: z.string(), type: 'text/html' }] }
}
