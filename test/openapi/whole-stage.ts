/** An app with everything that answers by itself: the management API, a portal, and the authorization server. */

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { onTestFinished } from 'vitest'
import { createSecurity, type Security } from '../../lib/app/create-security.js'
import type { SecurityOptions } from '../../lib/app/security-options.js'
import { basic, bearer, type DocumentChanges, document, users } from '../helpers/front.js'
import { type RawAnswer, requestBytes, sendRaw } from '../helpers/raw-http.js'
import { recordedLog } from '../helpers/recorded-log.js'
import { type Answer, type SendOptions, sendTo } from '../oauth/front.js'
import { AnswerChecks, operationsOf, type ServedDocument } from './answer-checks.js'
import { BreakableTokenStore } from './breakable-token-store.js'

export interface WholeStage {
  readonly security: Security
  readonly tokenStore: BreakableTokenStore
  readonly port: number
  /** `Authorization` of an administrator. */
  readonly token: string
  readonly document: ServedDocument
  readonly checks: AnswerChecks
  /** Statuses that were checked, as `operation status`. */
  readonly checked: Set<string>
  /** Sends a request, asserts that the answer is as the document says, and returns it. */
  ask(operationId: string, path: string, request?: AskOptions): Promise<RawAnswer>
  send(path: string, init?: SendOptions): Promise<Answer>
  /** The statuses of operations with a tag that no answer has been checked of. */
  unchecked(tag: string): readonly string[]
}

export interface AskOptions {
  readonly headers?: readonly string[]
  readonly form?: Readonly<Record<string, string>>
  readonly body?: string
}

export const formType = 'Content-Type: application/x-www-form-urlencoded'

/** `changes` are those of a small `deployment.toml`. */
export async function startWhole(changes: DocumentChanges = {}, options: SecurityOptions = {}): Promise<WholeStage> {
  const tokenStore = new BreakableTokenStore()
  const security = await createSecurity(document(changes), { tokenStore, logger: recordedLog().logger, ...options })
  const app = express()
  app.use('/management', security.managementApi())
  app.use('/publisher', security.portal('publisher'))
  if (security.config.oauth !== undefined) app.use(security.wellKnown())
  if (security.config.oauth !== undefined) app.use('/oauth2', security.oauth())
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    server.closeAllConnections()
    server.close()
    await security.close()
  })
  const { port } = server.address() as AddressInfo
  const call = (method: string, path: string, headers: readonly string[], body = ''): Promise<RawAnswer> =>
    sendRaw(port, requestBytes(method, path, headers, body))
  const login = await call('GET', '/management/login', [basic(users.admin.name, users.admin.password)])
  const token = bearer(login.json<{ AccessToken: string }>().AccessToken)
  const served = (await call('GET', '/management/openapi.json', [token])).json<ServedDocument>()
  const checks = new AnswerChecks(served)
  const checked = new Set<string>()

  return {
    security,
    tokenStore,
    token,
    port,
    document: served,
    checks,
    checked,
    send: (path, init) => sendTo(port, path, init),

    async ask(operationId, path, { headers = [], form, body }: AskOptions = {}) {
      const { method } = operationsOf(served).find((one) => one.operationId === operationId)!
      const text = body ?? (form === undefined ? '' : new URLSearchParams(form).toString())
      const answer = await call(method, path, [...(form === undefined ? [] : [formType]), ...headers], text)
      checks.check(operationId, answer)
      checked.add(`${operationId} ${answer.status}`)
      return answer
    },

    unchecked: (tag) =>
      operationsOf(served)
        .filter(({ tags }) => tags.includes(tag))
        .flatMap(({ operationId, responses }) =>
          Object.keys(responses)
            .filter((status) => status !== 'default' && !checked.has(`${operationId} ${status}`))
            .map((status) => `${operationId} ${status}`),
        ),
  }
}
