/** A front whose answers are compared with its OpenAPI document. */

import { join } from 'node:path'
import { basic, bearer } from '../helpers/front.js'
import { folderWith } from '../helpers/key-files.js'
import { type ManagedFront, type ManagedFrontOptions, people, startManagedFront } from '../helpers/managed-front.js'
import { oneSetUp } from '../helpers/set-ups.js'
import type { FoundOperation, ServedDocument } from './answer-checks.js'
import { BreakableTokenStore } from './breakable-token-store.js'
import type { CaseStage } from './operator-cases.js'

export interface Stage extends CaseStage {
  readonly front: ManagedFront
  readonly document: ServedDocument
  /** `Authorization` of an administrator. */
  readonly root: string
  readonly tokenStore: BreakableTokenStore
}

export const json = 'Content-Type: application/json'
export const acceptJson = 'Accept: application/json'

export async function startStage({ document: changes, ...options }: ManagedFrontOptions = {}): Promise<Stage> {
  const tokenStore = new BreakableTokenStore()
  const front = await startManagedFront(oneSetUp, {
    ...options,
    document: { ...changes, root: { audit_trail: { file: join(folderWith(), 'audit.log') }, ...changes?.root } },
    options: { tokenStore, ...options.options },
  })
  const root = bearer(await front.login(people.root))
  const answer = await front.call('GET', '/openapi.json', [root])
  return {
    front,
    tokenStore,
    root,
    store: front.store,
    document: answer.json<ServedDocument>(),
    send: (method: string, path: string, body?: object) =>
      front.call(method, path, [root, acceptJson, ...(body === undefined ? [] : [json])], JSON.stringify(body) ?? ''),
    signInBob: () => front.login(people.bob),
    async lockCarol() {
      for (let attempt = 0; attempt < 3; attempt++) await front.call('GET', '/login', [basic('carol', 'wrong')])
    },
  }
}

/** The path of an operation with names in it, and what has to be in its query. */
export function examplePath({ path, parameters = [] }: FoundOperation): string {
  const query = parameters
    .filter((one) => one.in === 'query' && one.required === true)
    .map(({ name }) => `${name}=carol`)
  return path.replace('{id}', 'carol').replace('{name}', 'operators') + (query.length > 0 ? `?${query.join('&')}` : '')
}
