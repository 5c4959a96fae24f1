/**
 * `sallyport/config`: loading a configuration, and what is in one.
 *
 * @module
 */

export type * from './config/config.js'
export type { ConfigSource } from './config/load.js'
export { loadConfig } from './config/load.js'
export type { ConfigOptions } from './config/parse.js'
export { parseConfig } from './config/parse.js'
export type { ConfigProblem, Origin, Position } from './core/errors.js'
export type { SecondFactorPolicy } from './core/second-factor.js'
