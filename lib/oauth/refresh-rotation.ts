/**
 * What follows a refresh token that was used: made of the token itself, so that it can be made again while nothing usable is stored.
 *
 * @module
 */

import { createHmac } from 'node:crypto'
import type { Provider } from 'oidc-provider'
import type { OidcProvider } from './provider-configuration.js'

/** Makes the successor of a refresh token: always the same, and known to nobody without the key. */
export type Successor = (refreshToken: string) => string

/** `key`: 32 bytes, the same in all processes that rotate the same tokens. */
export function createSuccessor(key: Uint8Array): Successor {
  return (refreshToken) => createHmac('sha256', key).update(refreshToken).digest('base64url')
}

/** Has a rotation give the successor of the token that was used, in place of a random one. */
export function rotateToSuccessor(
  provider: Provider,
  library: Pick<OidcProvider, 'default'>,
  successor: Successor,
): void {
  const { prototype } = provider.RefreshToken as unknown as { prototype: { generateTokenId(): string } }
  const { generateTokenId } = prototype
  prototype.generateTokenId = function () {
    const used = library.default.ctx?.oidc.entities.RotatedRefreshToken?.jti
    return used === undefined ? generateTokenId.call(this) : successor(used)
  }
}
