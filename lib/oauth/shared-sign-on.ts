/**
 * Sign-ons as portals use them: by the cookie of a request.
 *
 * @module
 */

import { portalCookie } from '../portals/portal-cookie.js'
import type { SingleSignOn } from '../portals/single-sign-on.js'
import type { OauthCookies } from './cookies.js'
import type { SignOns } from './sign-ons.js'

/** Makes the sign-on that portals and the authorization server share. */
export function createSharedSignOn(signOns: SignOns, { plainName, isPlain }: OauthCookies): SingleSignOn {
  const cookie = portalCookie(plainName, isPlain)

  return {
    async find(request) {
      const credential = cookie.read(request)
      const signOn = credential === undefined ? undefined : await signOns.find(credential)
      if (signOn === undefined) return undefined
      await signOns.touch(signOn.id)
      const { subject, account } = signOn.record
      const { roles, isAdmin, version } = account
      return { id: signOn.id, account: { subject, roles, isAdmin, version } }
    },

    async begin(request, response, account, { address, begunAt }) {
      const { credential, id } = await signOns.begin(account, {
        address,
        begunAt,
        credentialBefore: cookie.read(request),
      })
      cookie.set(request, response, credential)
      return id
    },

    async end(request, response) {
      const credentials = cookie.readAll(request)
      // First: a store that fails must not leave the browser signed on.
      cookie.clear(request, response)
      await Promise.all(credentials.map((credential) => signOns.endByCredential(credential)))
    },
  }
}
