/**
 * Access tokens that a service provider gets in its own name (RFC 6749 section 4.4): a record in the token store each, and nothing
 * else. There is no grant, no sign-on and no refresh token behind them.
 *
 * @module
 */

import type { Request } from 'express'
import type { Adapter, AdapterPayload, KoaContextWithOIDC } from 'oidc-provider'
import { readClient } from '../http/client.js'
import { stateAtLogin, storeFull } from '../tokens/issuer.js'
import { createTokenSigner } from '../tokens/jwt/sign-token.js'
import type { KeyRing } from '../tokens/keys/key-ring.js'
import { clientSubject } from '../tokens/machines/client-subject.js'
import { accessTokenId } from './access-tokens.js'
import type { OauthParts } from './parts.js'

type ClientToken = NonNullable<KoaContextWithOIDC['oidc']['entities']['ClientCredentials']>

export type ClientTokenParts = Pick<OauthParts, 'store' | 'revocations' | 'providers' | 'events' | 'clock' | 'oauth'>

/** The answer of the token endpoint, with a JWT in place of the provider's token. */
export function createClientTokens(
  parts: ClientTokenParts & { readonly keys: KeyRing },
): (ctx: KoaContextWithOIDC, token: ClientToken) => Promise<void> {
  const { store, revocations, providers, events, keys, clock } = parts
  const { issuer } = parts.oauth
  const signToken = createTokenSigner({ keys, issuer, audience: issuer })

  return async function publishClientToken(ctx, { clientId = '', expiration }) {
    // The provider has left out what no client may ask for.
    const asked = String(ctx.oidc.body?.['scope'] ?? '')
    const allowed = providers.get(clientId)?.scopes ?? []
    // What tells of a user is no scope of a program.
    const scope = asked
      .split(' ')
      .filter((name) => allowed.includes(name))
      .join(' ')
    if (asked !== '' && scope === '') {
      ctx.status = 400
      ctx.body = { error: 'invalid_scope', error_description: 'the client may have none of these scopes' }
      return
    }
    const { sequence } = revocations
    const subject = clientSubject(clientId)
    const audience = providers.audience(clientId)
    const issuedAt = clock()
    const expiresAt = issuedAt + expiration * 1000
    const issuedAtSeconds = Math.floor(issuedAt / 1000)
    const times = { issuedAtSeconds, expiresAtSeconds: issuedAtSeconds + expiration }
    const jwt = await signToken({ subject, scope, audience, clientId, ...times })
    const id = accessTokenId(jwt)
    const client = readClient(ctx.req as Request)
    const { address } = client
    const fixed = { kind: 'oauth', parent: undefined, idleTimeoutMs: undefined, roles: [], isAdmin: false } as const
    const record = { ...fixed, id, audience, subject, accountVersion: '', scope, issuedAt, expiresAt }
    const account = stateAtLogin('', [], false)
    const isAdded = await store.add({ ...record, lastAccessAt: issuedAt, address, account }, { startedAt: issuedAt })
    if (isAdded === false) throw storeFull(expiresAt - issuedAt)
    // All of the client may have been revoked meanwhile: then the token is dead from the start.
    if (revocations.happenedSince(sequence, record)) await store.remove(id)
    events?.report('login', { at: issuedAt, ...client, subject, tokenId: id, kind: 'oauth' })
    const { scope: _scope, ...body } = ctx.body as Readonly<Record<string, unknown>>
    ctx.body = { ...body, access_token: jwt, ...(scope !== '' && { scope }) }
  }
}

/** What the provider finds of them: what the token store has. */
export function createClientTokenAdapter({
  store,
  revocations,
  clock,
}: Pick<ClientTokenParts, 'store' | 'revocations' | 'clock'>): Adapter {
  return {
    async upsert() {},

    async find(id): Promise<AdapterPayload | undefined> {
      const record = await store.find(accessTokenId(id), 'oauth')
      if (record === undefined || clock() >= record.expiresAt || revocations.isRevoked(record)) return undefined
      const clientId = record.subject.slice(clientSubject('').length)
      if (record.subject !== clientSubject(clientId)) return undefined
      const times = { iat: Math.floor(record.issuedAt / 1000), exp: Math.floor(record.expiresAt / 1000) }
      return {
        kind: 'ClientCredentials',
        jti: id,
        clientId,
        scope: record.scope || undefined,
        ...times,
      } as AdapterPayload
    },

    async destroy(id) {
      await revocations.end(accessTokenId(id), store)
    },

    async findByUid() {},
    async findByUserCode() {},
    async consume() {},
    async revokeByGrantId() {},
  }
}
