/**
 * Where the keys of a configuration are written: for rules that refuse a request, and for problems that are found after the
 * configuration was read, by the user store for example.
 *
 * @module
 */

import { ConfigError, type Origin } from '../../core/errors.js'
import type { Config } from '../config.js'
import { type KeyPath, parsePrintedKey } from '../values/key-path.js'
import { type Locate, nowhere } from './findings.js'

const locators = new WeakMap<object, Locate>()

export function isConfig(value: object): value is Config {
  return locators.has(value)
}

export function keepLocator(config: Config, locate: Locate): void {
  locators.set(config, locate)
}

/** The same configuration but for some of its fields. Its keys are written where they were. */
export function withFields(config: Config, fields: Partial<Config>): Config {
  const changed = { ...config, ...fields }
  keepLocator(changed, locators.get(config) ?? nowhere)
  return changed
}

/** Where a key is written. A default, and an object that was not read from a file, has no position. */
export function createOrigin(key: string, locate: Locate): Origin {
  const position = locate(parsePrintedKey(key) ?? [], true)
  return position === undefined ? { key } : { key, position }
}

/** Where `management_api.control_access.allow[2]` is written. An entry that comes from a `$ref{}` has the place of its list. */
export function originAt(config: Config, key: string): Origin {
  return createOrigin(key, locators.get(config) ?? nowhere)
}

/** Gives each problem without a position that of its key in the file, or of the table around it. */
export async function locateProblems(error: ConfigError, config: Config): Promise<ConfigError> {
  const locate = locators.get(config) ?? nowhere
  const problems = error.problems.map((problem) => {
    const path: KeyPath = parsePrintedKey(problem.key) ?? []
    const position = problem.position ?? locate(path)
    return position === problem.position ? problem : { ...problem, position }
  })
  if (problems.every((problem, index) => problem === error.problems[index])) return error
  const { code, cause } = error
  return new ConfigError(problems, cause === undefined ? { code } : { code, cause })
}

/** What `opening` comes to. A `ConfigError` of it says where in the file the mistakes stand. */
export async function located<Result>(config: Config, opening: Result | Promise<Result>): Promise<Result> {
  try {
    return await opening
  } catch (error) {
    throw error instanceof ConfigError ? await locateProblems(error, config) : error
  }
}
