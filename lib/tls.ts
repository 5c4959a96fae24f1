/**
 * `sallyport/tls`: private keys and certificates from the key stores that a configuration names.
 *
 * @module
 */

export { type KeyMaterial, loadKeyStore, loadTrustStore } from './tls/key-stores/key-store.js'
