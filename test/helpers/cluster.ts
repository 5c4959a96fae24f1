/** Fronts over one store, as several processes would have them. */

import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { document, type Front, type FrontOptions, startFront } from './front.js'
import { oneSetUp } from './set-ups.js'
import type { SqlEngine } from './sql-engines.js'

let count = 0

/** What a test wants to be different. */
export interface ClusterChanges {
  /** That of Redis, or a database. */
  readonly url: string | SqlEngine
  /** `[shared_store]` besides where it is. */
  readonly store?: Record<string, unknown>
  readonly root?: Record<string, unknown>
  readonly tokenStore?: Record<string, unknown>
  readonly managementApi?: Record<string, unknown>
  readonly internalApis?: Record<string, unknown>
  readonly options?: FrontOptions['options']
}

/** The document that all processes have, with a signing key in a file. */
export function clusterDocument(changes: ClusterChanges): object {
  const { url, store = {}, root = {}, tokenStore = {}, managementApi = {}, internalApis = {} } = changes
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-cluster-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const file = join(folder, 'token-key.pem')
  writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  return document({
    managementApi,
    internalApis,
    jwt: { token_config: { algorithm: 'ES256', key_file: file }, token_store_config: tokenStore },
    root: { ...storeAt(url, { key_prefix: `test-${process.pid}-${count++}`, ...store }), ...root },
  })
}

function storeAt(place: string | SqlEngine, store: object): object {
  if (typeof place === 'string') return { shared_store: { type: 'redis', url: place, ...store } }
  return {
    datasource: [{ id: 'shared', ...place.datasource }],
    shared_store: { type: 'sql', data_source: 'shared', ...store },
  }
}

/** Two fronts over one store. */
export async function startCluster(changes: ClusterChanges): Promise<readonly [Front, Front]> {
  const source = clusterDocument(changes)
  const start = (): Promise<Front> => startFront(oneSetUp, { source, options: changes.options ?? {} })
  return [await start(), await start()]
}
