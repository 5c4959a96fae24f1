/**
 * What a portal answers by itself: login, logout, and the status of the session.
 *
 * @module
 */

import * as z from 'zod'
import { flatError, problem } from '../http/error-schema.js'
import { codeForm, loginForm, loginQuery, sessionStatus } from '../portals/session-schema.js'
import { type Answer, html, json, type Operation, operationWith } from './operation.js'

const elsewhere: Answer = { description: 'The browser is sent on.', headers: { Location: 'Where.' } }
const signedIn: Answer = {
  description: 'Signed in: the browser is sent to the page that it wanted.',
  headers: { Location: 'That page.', 'Set-Cookie': 'The session.' },
}
const notFromHere =
  'The address may not call, a page of another site sent it, or passwords are not taken over plain HTTP.'
const visitor = operationWith('portal', 'visitor')
const session = operationWith('portal', 'portal')
const form = 'application/x-www-form-urlencoded'

/** The cookie is gone: there is nothing to try again. */
const notEnded: Answer = {
  description: 'The browser has lost the session, but a store could not be reached to end it on the server.',
  content: [
    { schema: flatError },
    { schema: problem, type: 'application/problem+json' },
    { schema: z.string(), type: 'text/html' },
  ],
}

const status = { 200: json('The session is live.', sessionStatus) }

/** Below the mount of a portal. */
export const portalOperations: readonly Operation[] = [
  visitor('GET /login', 'getLoginPage', 'Get the login page', {
    query: loginQuery,
    answers: { 200: html('The page.'), 303: elsewhere },
    refusals: { 403: notFromHere },
  }),
  visitor('POST /login', 'signIn', 'Sign in', {
    isPage: true,
    body: { schema: z.union([loginForm, codeForm]), type: form, isRequired: true },
    answers: { 200: html('A page asks for a second factor, or shows recovery codes.'), 303: signedIn },
    refusals: {
      400: 'The form is not complete, or there are several session cookies.',
      401: 'The name, the password or the code is wrong.',
      403: notFromHere,
      413: 'The form is larger than 16 KiB.',
      415: 'It is no form.',
      429: 'Too many failed logins.',
      503: 'A store cannot be reached, or no more work is taken.',
    },
  }),
  visitor('GET /logout', 'getLogoutPage', 'Get a page that asks whether to sign out', {
    answers: { 200: html('The page.') },
    refusals: { 403: notFromHere, 405: 'It was no browser that opened a page.' },
  }),
  visitor('POST /logout', 'signOut', 'Sign out', {
    description: 'The session ends on the server, and the sign-on that it shares.',
    isPage: true,
    answers: {
      204: { description: 'Signed out, for a program.' },
      303: { description: 'Signed out: the browser is sent on.', headers: { Location: 'The login page.' } },
      503: notEnded,
    },
    refusals: { 403: notFromHere },
  }),
  session('GET /session', 'getSessionStatus', 'Get the status of the own session', {
    description: 'It is no use of the session.',
    answers: status,
  }),
  session('POST /session', 'keepSession', 'Keep the own session, and get its status', {
    description: 'It is a use of the session, and does nothing else.',
    answers: status,
  }),
]
