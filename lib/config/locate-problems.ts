/**
 * The places of problems that are found after the configuration was read: by the user store, for example.
 *
 * @module
 */

import { ConfigError, type ConfigProblem } from '../core/errors.js'
import type { Config } from './config.js'
import type { Locate } from './findings.js'
import { parsePrintedKey } from './key-path.js'
import { readText } from './read-text.js'

/**
 * Gives each problem without a position the place of its key in the file that the configuration was read from, or of the
 * innermost table around it. The file is read again for that. What was not read from a file, or cannot be read any more,
 * leaves the error as it is.
 *
 * @returns An error of the same code and cause.
 */
export async function locateProblems(error: ConfigError, { path }: Config): Promise<ConfigError> {
  if (path === undefined || error.problems.every(({ position }) => position !== undefined)) return error
  const text = await readText(path).catch(() => undefined)
  if (text === undefined) return error
  const { positionsIn } = await import('./positions.js')
  const locate = positionsIn(text, path)
  const problems = error.problems.map((problem) => withPosition(problem, locate))
  const { code, cause } = error
  return new ConfigError(problems, cause === undefined ? { code } : { code, cause })
}

/** What `opening` comes to. A {@link ConfigError} of it says where in the file the mistakes stand. */
export async function located<Result>(config: Config, opening: Result | Promise<Result>): Promise<Result> {
  try {
    return await opening
  } catch (error) {
    throw error instanceof ConfigError ? await locateProblems(error, config) : error
  }
}

function withPosition(problem: ConfigProblem, locate: Locate): ConfigProblem {
  const path = problem.position === undefined ? parsePrintedKey(problem.key) : undefined
  const position = path === undefined ? undefined : locate(path)
  return position === undefined ? problem : { ...problem, position }
}
