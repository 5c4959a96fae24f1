/**
 * The cookies of the authorization server.
 *
 * @module
 */

import type { OauthConfig } from '../config/config.js'

/** Names and attributes, as `oidc-provider` takes them. */
export interface OauthCookies {
  readonly names: { readonly session: string; readonly interaction: string; readonly resume: string }
  /** Of the session, which portals share. */
  readonly session: typeof lax & { readonly secure: boolean; readonly path: '/'; readonly signed: false }
  /** Of a sign-in that has been started. */
  readonly short: typeof lax & { readonly secure: boolean }
  /** The name of the session's cookie without `__Host-`. */
  readonly plainName: string
  /** Whether the issuer is one of plain HTTP, on this machine: its cookies have neither `Secure` nor `__Host-`. */
  readonly isPlain: boolean
}

const lax = { httpOnly: true, sameSite: 'lax' } as const

/** The cookies of an issuer. */
export function oauthCookies({ issuer, cookiePrefix }: Pick<OauthConfig, 'issuer' | 'cookiePrefix'>): OauthCookies {
  const isPlain = issuer.startsWith('http:')
  const secure = !isPlain
  const plainName = `${cookiePrefix}-sso`
  const names = {
    session: isPlain ? plainName : `__Host-${plainName}`,
    interaction: `${cookiePrefix}-oauth-login`,
    resume: `${cookiePrefix}-oauth-resume`,
  }
  return { names, session: { ...lax, secure, path: '/', signed: false }, short: { ...lax, secure }, plainName, isPlain }
}
