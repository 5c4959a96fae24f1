/**
 * The keys that a configuration says tokens are signed with: made for this process, from a file, or from a key store.
 *
 * @module
 */

import { createPublicKey, type KeyObject } from 'node:crypto'
import type { Config, KeyStoreConfig, SigningAlgorithm } from '../../config/config.js'
import { ConfigError } from '../../core/errors.js'
import { keyStoreNamed } from '../../core/key-stores.js'
import { keysFromFile } from './key-file.js'
import {
  algorithmFor,
  createKeySet,
  createVerificationKey,
  type KeySet,
  keyMismatch,
  newKeys,
  type RetiredKey,
} from './signing-key.js'

const tokenConfigKey = 'management_api.jwt_token_security_handler.token_config'

/**
 * Makes or reads the keys.
 *
 * @throws `ConfigError` when a file or key store cannot be read, or has a key that must not be used.
 */
export async function readTokenKeys({ managementApi, keyStores }: Config): Promise<KeySet> {
  const { algorithm, rsaBits, keyFile, keyStore, previousKeyStore: previous } = managementApi.token
  if (keyStore === undefined) {
    return keyFile === undefined ? newKeys(algorithm ?? 'RS256', rsaBits) : keysFromFile(keyFile, algorithm)
  }
  const { key, fit } = await readKey(keyStoreNamed(keyStores, keyStore)!, 'keystore', algorithm)
  const retired =
    previous === undefined ? [] : [await readRetiredKey(keyStoreNamed(keyStores, previous.name)!, previous.verifyUntil)]
  return createKeySet(key, fit, { retired })
}

/** Whether a change of the configuration leaves a key that was made for this process as it is. */
export function keepsOwnKey(
  { managementApi: { token: before } }: Config,
  { managementApi: { token } }: Config,
): boolean {
  const isOwn = [before, token].every(({ keyFile, keyStore }) => keyFile === undefined && keyStore === undefined)
  return isOwn && before.algorithm === token.algorithm && before.rsaBits === token.rsaBits
}

/** The end that is written in the file holds, however long this process has signed with the key. */
async function readRetiredKey(store: KeyStoreConfig, verifyUntil: number): Promise<RetiredKey> {
  const { key, fit } = await readKey(store, 'previous_keystore')
  return { ...(await createVerificationKey(createPublicKey(key), fit)), verifyUntil, isFinal: true }
}

async function readKey(
  store: KeyStoreConfig,
  name: string,
  algorithm?: SigningAlgorithm,
): Promise<{ readonly key: KeyObject; readonly fit: SigningAlgorithm }> {
  const { loadKeyStore } = await import('../../tls/key-stores/key-store.js')
  const { key } = await loadKeyStore(store)
  const fit = algorithm ?? algorithmFor(key)
  const mismatch = keyMismatch(createPublicKey(key), fit)
  if (mismatch === undefined) return { key, fit }
  throw new ConfigError([{ key: `${tokenConfigKey}.${name}`, rule: `names ${store.key}, which ${mismatch}` }])
}
