/**
 * The entry `sallyport/testing`: tests for what you write yourself.
 *
 * @module
 */

export { type ContractStoreOptions, recordOf } from './testing/contract-stage.js'
export { type TestRunner, tokenStoreContract } from './testing/token-store-contract.js'
