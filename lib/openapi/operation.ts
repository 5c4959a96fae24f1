/**
 * How an operation is described, before it becomes a part of the OpenAPI document.
 *
 * @module
 */

import type * as z from 'zod'

/** Who may call: everybody, every caller that is known, administrators, or who sends a name and a password. */
export type Access = 'anybody' | 'caller' | 'administrator' | 'login'

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
  /** Below the mount, with the names of parameters in braces. */
  readonly path: string
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
}

/** Groups of operations, in the order of the document. */
export const tags = {
  login: 'Tokens of the management API.',
  sessions: 'Who is signed in, with what, and how that ends.',
  locks: 'Logins that are refused after failed ones.',
  users: 'Users and their passwords.',
  roles: 'Roles and who has them.',
  configuration: 'The configuration file.',
  portal: 'Sign-in to a portal, by a browser.',
  oauth: 'The authorization server.',
  document: 'This document.',
} as const

export type TagName = keyof typeof tags

/** An answer with a JSON body. */
export function json(description: string, schema: z.ZodType): Answer {
  return { description, content: [{ schema }] }
}
