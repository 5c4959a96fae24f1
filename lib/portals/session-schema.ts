/**
 * What a portal's end points take and answer.
 *
 * @module
 */

import * as z from 'zod'
import { component, type Shape } from '../core/components.js'
import type { SessionStatus } from './session.js'

const milliseconds = z.number().nonnegative()

export const sessionStatus = component(
  'SessionStatus',
  'The session of the caller. Times are in milliseconds.',
  z.object({
    subject: z.string().describe('Who is signed in.'),
    roles: z.array(z.string()).describe('Roles at this moment.'),
    isAdmin: z.boolean().describe('Whether the user is an administrator at this moment.'),
    idleRemainingMs: milliseconds.describe('What is left until the session ends unless it is used.'),
    absoluteRemainingMs: milliseconds.describe('What is left until it ends in any case.'),
    idleTimeoutMs: milliseconds.describe('What would be left right after a use.'),
    serverTimeMs: z.number().describe("The server's clock, since the epoch."),
  } satisfies Shape<SessionStatus>),
)

const returnTo = z
  .string()
  .optional()
  .describe('The page of the portal that the browser is sent to: path, query and fragment.')

export const loginQuery = z.object({ return_to: returnTo })

export const loginForm = component(
  'LoginForm',
  'A name and a password.',
  z.object({
    username: z.string().describe('The name of the user.'),
    password: z.string().describe('The password.'),
    return_to: returnTo,
  }),
)

export const codeForm = component(
  'CodeForm',
  'The code of a second factor, after the password.',
  z.object({
    code: z.string().describe('The code of the app, a recovery code, or the code that lets a user set one up.'),
    return_to: returnTo,
  }),
)
