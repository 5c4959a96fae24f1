/**
 * Access tokens: signed JWTs (RFC 9068), each with a record in the token store, which decides. To `oidc-provider` they are opaque.
 *
 * @module
 */

import type { KoaContextWithOIDC } from 'oidc-provider'
import { storeFull } from '../tokens/issuer.js'
import { createTokenSigner } from '../tokens/jwt/sign-token.js'
import type { KeyRing } from '../tokens/keys/key-ring.js'
import { tokenId } from '../tokens/token-id.js'
import type { OauthParts } from './parts.js'
import { recordIdFrom, type SignOns } from './sign-ons.js'

export type ProviderAccessToken = NonNullable<KoaContextWithOIDC['oidc']['entities']['AccessToken']>

/** The access tokens of an authorization server. Each method rejects with `StoreError` when a store fails. */
export interface AccessTokens {
  /**
   * Signs the JWT that takes the place of the provider's token, with `claims` of the user. If the grant or the sign-on has ended
   * meanwhile, it is dead from the start.
   */
  publish(
    token: ProviderAccessToken,
    claims: Readonly<Record<string, unknown>>,
    address: string | undefined,
  ): Promise<string>
  isLive(id: string): Promise<boolean>
}

export function createAccessTokens(
  parts: OauthParts & { readonly signOns: SignOns; readonly keys: KeyRing },
): AccessTokens {
  const { store, oauthStore, signOns, providers, keys, revocations, clock } = parts
  const { issuer } = parts.oauth
  const signToken = createTokenSigner({ keys, issuer, audience: issuer })

  return {
    async publish({ jti, accountId, clientId, scope = '', sessionUid = '', expiration }, claims, address) {
      const issuedAt = clock()
      const issuedAtSeconds = Math.floor(issuedAt / 1000)
      const audience = providers.audience(clientId)
      const jwt = await signToken({
        subject: accountId,
        scope,
        audience,
        clientId,
        others: claims,
        issuedAtSeconds,
        expiresAtSeconds: issuedAtSeconds + expiration,
      })
      const id = accessTokenId(jwt)
      const signOn = await signOns.findByUid(sessionUid)
      // From now on the provider knows it by what the client has.
      const isRenamed = await oauthStore.rename('AccessToken', accessTokenId(jti), id)
      if (!isRenamed || signOn === undefined) return jwt
      const { subject, roles, isAdmin, accountVersion, account, factors } = signOn.record
      const expiresAt = issuedAt + expiration * 1000
      const isAdded = await store.add({
        id,
        kind: 'oauth',
        audience,
        parent: recordIdFrom(sessionUid),
        idleTimeoutMs: undefined,
        subject,
        roles,
        isAdmin,
        accountVersion,
        scope,
        issuedAt,
        expiresAt,
        lastAccessAt: issuedAt,
        address,
        factors,
        // Shared with the sign-on: what ends one ends the other.
        account,
      })
      if (!isAdded) throw storeFull(expiresAt - issuedAt)
      // The grant may have been revoked while the store was adding: then nothing leads to the record that could end it.
      if ((await oauthStore.find('AccessToken', id)) === undefined) await store.remove(id)
      return jwt
    },

    async isLive(id) {
      const record = await store.find(id, 'oauth')
      if (record === undefined || clock() >= record.expiresAt || revocations.isRevoked(record)) return false
      // The sign-on of a user ends with the account, and where it lacks a second factor that is demanded.
      return record.parent === undefined || signOns.isLive(record.parent)
    },
  }
}

/** The id of the record of an access token, and of the provider's entry. */
export function accessTokenId(token: string): string {
  return tokenId('oauth', token.replaceAll('~', '.'))
}

/** The endpoints that take a token as a parameter refuse a JWT: this spelling of one they look up. */
export function withoutDots(token: string): string {
  return token.replace(/^([^.]*)\.([^.]*)\.([^.]*)$/, '$1~$2~$3')
}
