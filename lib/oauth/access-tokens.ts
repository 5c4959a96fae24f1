/**
 * Access tokens as clients see them: signed JWTs (RFC 9068), each with a record in the token store. `oidc-provider` knows them
 * by a name of its own, which never leaves the process.
 *
 * @module
 */

import { tokenId } from '../internal/token-id.js'
import { storeFull } from '../tokens/add-record.js'
import { checkedTokenStore } from '../tokens/checked-token-store.js'
import type { KeyRing } from '../tokens/key-ring.js'
import type { Revocations } from '../tokens/revocations.js'
import { createTokenSigner } from '../tokens/sign-token.js'
import type { TokenStore } from '../tokens/token-store.js'
import type { OauthStore } from './oauth-store.js'
import { accessTokenEntryId } from './provider-adapter.js'
import { recordIdOf, type SignOns } from './sign-ons.js'

/** Options of {@link createAccessTokens}. */
export interface AccessTokensOptions {
  readonly store: TokenStore
  readonly oauthStore: OauthStore
  readonly signOns: SignOns
  readonly keys: KeyRing
  readonly revocations: Revocations
  readonly issuer: string
  /** `aud` of the tokens of a client. */
  readonly audienceOf: (clientId: string) => string
  readonly clock: () => number
}

/** An access token as the provider has made it. */
export interface ProviderAccessToken {
  readonly jti: string
  readonly accountId: string
  readonly clientId: string | undefined
  readonly grantId: string
  readonly scope: string | undefined
  readonly sessionUid: string
  /** What the token tells of the user. */
  readonly claims: Readonly<Record<string, unknown>>
  /** Seconds until it expires. */
  readonly lifeSeconds: number
}

/** The access tokens of an authorization server. Each method rejects with {@link StoreError} when a store fails. */
export interface AccessTokens {
  /**
   * Resolves with the JWT that a client gets. If the grant or the sign-on has ended meanwhile, the token is dead from the
   * start.
   */
  publish(token: ProviderAccessToken, address: string | undefined): Promise<string>
  /** The provider's name of a live access token; `undefined` when there is none. */
  resolve(jwt: string): Promise<string | undefined>
}

/** Puts stores, sign-ons and keys together. */
export function createAccessTokens(options: AccessTokensOptions): AccessTokens {
  const { oauthStore, signOns, keys, issuer, audienceOf, revocations, clock } = options
  const store = checkedTokenStore(options.store)
  const signToken = createTokenSigner({ keys, issuer, audience: issuer })

  return {
    async publish({ jti, accountId, clientId = '', grantId, scope = '', sessionUid, claims, lifeSeconds }, address) {
      const issuedAt = clock()
      const issuedAtSeconds = Math.floor(issuedAt / 1000)
      const audience = audienceOf(clientId)
      const jwt = await signToken({
        subject: accountId,
        scope,
        audience,
        clientId,
        others: claims,
        issuedAtSeconds,
        expiresAtSeconds: issuedAtSeconds + lifeSeconds,
      })
      const signOn = await signOns.findByUid(sessionUid)
      if (signOn === undefined) return jwt
      const { subject, roles, isAdmin, accountVersion, account } = signOn.record
      const id = tokenId('oauth', jwt)
      const expiresAt = issuedAt + lifeSeconds * 1000
      await oauthStore.put({
        model: 'AccessTokenLink',
        id,
        subject,
        payload: { name: jti },
        expiresAt,
        grantId,
      })
      const isAdded = await store.add({
        id,
        kind: 'oauth',
        audience,
        parent: recordIdOf(sessionUid),
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
        // Shared with the sign-on: what ends one ends the other.
        account,
      })
      if (!isAdded) throw storeFull(expiresAt - issuedAt)
      // The grant may have been revoked while the token was signed: then nothing leads to the record that could end it.
      if ((await oauthStore.find('AccessToken', accessTokenEntryId(jti))) === undefined) await store.remove(id)
      return jwt
    },

    async resolve(jwt) {
      const id = tokenId('oauth', jwt)
      const [record, link] = await Promise.all([store.find(id, 'oauth'), oauthStore.find('AccessTokenLink', id)])
      const name = link?.payload['name']
      if (record === undefined || clock() >= record.expiresAt || revocations.isOutstanding(record)) return undefined
      return typeof name === 'string' ? name : undefined
    },
  }
}
