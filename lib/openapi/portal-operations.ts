/**
 * What a portal answers by itself: login, logout, and the status of the session.
 *
 * @module
 */

import * as z from 'zod'
import { flatError, problem } from '../http/error-schema.js'
import { codeForm, loginForm, loginQuery, sessionStatus } from '../portals/session-schema.js'
import { type Answer, html, json, type Operation } from './operation.js'

const elsewhere: Answer = { description: 'The browser is sent on.', headers: { Location: 'Where.' } }
const signedIn: Answer = {
  description: 'Signed in: the browser is sent to the page that it wanted.',
  headers: { Location: 'That page.', 'Set-Cookie': 'The session.' },
}
const notFromHere =
  'The address may not call, a page of another site sent it, or passwords are not taken over plain HTTP.'
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

const statuses: readonly Operation[] = (['get', 'post'] as const).map((method) => ({
  method,
  path: '/session',
  id: method === 'get' ? 'getSessionStatus' : 'keepSession',
  tag: 'portal',
  summary: method === 'get' ? 'Get the status of the own session' : 'Keep the own session, and get its status',
  description: method === 'get' ? 'It is no use of the session.' : 'It is a use of the session, and does nothing else.',
  access: 'portal',
  answers: { 200: json('The session is live.', sessionStatus) },
}))

/** Below the mount of a portal. */
export const portalOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/login',
    id: 'getLoginPage',
    tag: 'portal',
    summary: 'Get the login page',
    access: 'visitor',
    query: loginQuery,
    answers: { 200: html('The page.'), 303: elsewhere },
    refusals: { 403: notFromHere },
  },
  {
    method: 'post',
    path: '/login',
    id: 'signIn',
    tag: 'portal',
    summary: 'Sign in',
    access: 'visitor',
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
  },
  {
    method: 'get',
    path: '/logout',
    id: 'getLogoutPage',
    tag: 'portal',
    summary: 'Get a page that asks whether to sign out',
    access: 'visitor',
    answers: { 200: html('The page.') },
    refusals: { 403: notFromHere, 405: 'It was no browser that opened a page.' },
  },
  {
    method: 'post',
    path: '/logout',
    id: 'signOut',
    tag: 'portal',
    summary: 'Sign out',
    description: 'The session ends on the server, and the sign-on that it shares.',
    access: 'visitor',
    isPage: true,
    answers: {
      204: { description: 'Signed out, for a program.' },
      303: { description: 'Signed out: the browser is sent on.', headers: { Location: 'The login page.' } },
      503: notEnded,
    },
    refusals: { 403: notFromHere },
  },
  ...statuses,
]
