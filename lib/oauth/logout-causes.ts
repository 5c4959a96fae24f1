/**
 * What ends sign-ons, for service providers that want to be told: a sign-out, a revocation, a reload.
 *
 * @module
 */

import type { Provider } from 'oidc-provider'
import { inBackground } from '../async/background.js'
import type { SecurityEventMap } from '../core/events.js'
import { type LogoutNotices, sessionNameFor } from './logout-notices.js'
import type { OauthEntry } from './oauth-store.js'
import type { OauthParts } from './parts.js'
import { recordIdFrom, type SignOns } from './sign-ons.js'

/** Tells the service providers that a session has signed in to. */
export function tellOfSession(notices: LogoutNotices, { subject, payload }: OauthEntry): void {
  const { authorizations = {} } = payload as { readonly authorizations?: Readonly<Record<string, { sid?: string }>> }
  if (subject === undefined) return
  for (const [clientId, { sid }] of Object.entries(authorizations)) {
    // Without a name it would be all sign-ons of the user.
    if (sid !== undefined) notices.send(clientId, subject, sid)
  }
}

/** More sign-ons than are ever kept. */
const maxListed = 10_000_000

interface NamedSession {
  readonly uid: string
  sidFor(clientId: string, sid?: string): string | undefined
}

/** Has the provider tell of its sign-outs without waiting, and name sessions so that their records are enough to tell of them. */
export function tellThroughNotices(provider: Provider, notices: LogoutNotices): void {
  const client = provider.Client.prototype as {
    clientId: string
    backchannelLogout?(sub: string, sid: string): Promise<void>
  }
  client.backchannelLogout = async function (subject, sid) {
    notices.send(this.clientId, subject, sid)
  }
  const session = provider.Session.prototype as unknown as { ensureClientContainer(clientId: string): void }
  session.ensureClientContainer = function (this: NamedSession, clientId: string) {
    if (this.sidFor(clientId) === undefined) this.sidFor(clientId, sessionNameFor(recordIdFrom(this.uid), clientId))
  } as typeof session.ensureClientContainer
}

/** Starts to tell of revocations, and of sign-ons that another configuration has ended. Answers how to stop. */
export function watchEnds({
  events,
  notices,
  store,
  signOns,
  revocations,
  logger,
}: OauthParts & { readonly notices: LogoutNotices; readonly signOns: SignOns }): () => void {
  if (events === undefined || !notices.isUsed) return () => undefined

  function onRevocation({ subject, tokenId, kind }: SecurityEventMap['revocation']): void {
    if (subject === undefined) return
    if (tokenId === undefined || kind === 'sso') notices.sendToAll(subject, tokenId)
  }

  async function endDead(): Promise<void> {
    for (const { id, subject } of await store.list({ kind: 'sso', limit: maxListed })) {
      if (await signOns.isLive(id)) continue
      await revocations.end(id, store)
      notices.sendToAll(subject, id)
    }
  }

  function onReload(): void {
    inBackground(endDead, (cause) => logger.error({ cause }, 'service providers may not be told of sign-outs'))
  }

  events.on('revocation', onRevocation)
  events.on('reload', onReload)
  return () => {
    events.off('revocation', onRevocation)
    events.off('reload', onReload)
  }
}
