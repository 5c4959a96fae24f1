/** A front whose answers are compared with its OpenAPI document. */

import { bearer } from '../helpers/front.js'
import { type ManagedFront, type ManagedFrontOptions, people, startManagedFront } from '../helpers/managed-front.js'
import type { RawAnswer } from '../helpers/raw-http.js'
import { oneSetUp } from '../helpers/set-ups.js'
import type { FoundOperation, ServedDocument } from './answer-checks.js'
import { BreakableTokenStore } from './breakable-token-store.js'

export interface Stage {
  readonly front: ManagedFront
  readonly document: ServedDocument
  /** `Authorization` of an administrator. */
  readonly root: string
  readonly tokenStore: BreakableTokenStore
  /** Sends a request as an administrator. */
  send(method: string, path: string, body?: object): Promise<RawAnswer>
}

export const json = 'Content-Type: application/json'
export const acceptJson = 'Accept: application/json'

export async function startStage(options: ManagedFrontOptions = {}): Promise<Stage> {
  const tokenStore = new BreakableTokenStore()
  const front = await startManagedFront(oneSetUp, { ...options, options: { tokenStore, ...options.options } })
  const root = bearer(await front.login(people.root))
  const answer = await front.call('GET', '/openapi.json', [root])
  return {
    front,
    tokenStore,
    root,
    document: answer.json<ServedDocument>(),
    send: (method: string, path: string, body?: object) =>
      front.call(method, path, [root, acceptJson, ...(body === undefined ? [] : [json])], JSON.stringify(body) ?? ''),
  }
}

/** The path of an operation with names in it, and what has to be in its query. */
export function examplePath({ path, parameters = [] }: FoundOperation): string {
  const query = parameters
    .filter((one) => one.in === 'query' && one.required === true)
    .map(({ name }) => `${name}=carol`)
  return path.replace('{id}', 'carol').replace('{name}', 'operators') + (query.length > 0 ? `?${query.join('&')}` : '')
}
