/**
 * What a reload of the file would do: its mistakes, what it changes, and which requests it lets in or refuses. Nothing is changed, and
 * nothing is counted.
 *
 * @module
 */

import { createHmac } from 'node:crypto'
import type { Express } from 'express'
import type { PreviewReload } from '../admin-api/reload.js'
import type { ReloadPreview } from '../admin-api/schemas/reload.js'
import { changedTables } from '../config/checks/changed-tables.js'
import { located } from '../config/checks/origins.js'
import type { Config } from '../config/config.js'
import { findSource } from '../config/kept-sources.js'
import { type ConfigFile, readConfigFile } from '../config/load.js'
import { ConfigError, type ConfigProblem } from '../core/errors.js'
import type { FileDiff } from '../explain/diff-output.js'
import type { FrontParts } from './mounts.js'
import type { RunningState } from './reload.js'
import { changesAtNextStart } from './start-checks.js'

/** What {@link createPreview} works with. */
export interface PreviewParts {
  readonly running: RunningState
  readonly front: FrontParts
  readonly versionKey: Uint8Array
  /** Makes a configuration of the file. @throws `ConfigError` */
  readonly parse: (file: ConfigFile) => Promise<Config>
  /** Loads what it names, and changes nothing. @throws `ConfigError` */
  readonly prepare: (next: Config) => Promise<void>
}

/** So much of each list is shown. */
const maxListed = 500

/** So much of the comparison is shown, in characters. */
const maxDiffLength = 64 * 1024

/** How long the requests of two configurations are compared. */
const maxCompareMs = 10_000

/**
 * The version of a text. It is a digest under a key: who sees it cannot try out passwords that the text may have.
 */
export function versionFrom(text: string, key: Uint8Array): string {
  return createHmac('sha256', key).update(text).digest('base64url')
}

/** Makes what answers `GET /reload`; `undefined`: the configuration is from no file. */
export function createPreview({ running, front, versionKey, parse, prepare }: PreviewParts): PreviewReload {
  async function preview(app: Express): Promise<ReloadPreview | undefined> {
    const before = running.config
    const { path } = before
    if (path === undefined) return undefined
    let version = ''
    let isChanged = true
    try {
      const file = await readConfigFile(path)
      version = versionFrom(file.text, versionKey)
      isChanged = findSource(before)?.text !== file.text
      const next = await parse(file)
      await located(next, prepare(next))
      return { file: path, version, isChanged, problems: [], ...(await compare(before, next, app)) }
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      return {
        file: path,
        version,
        isChanged,
        problems: error.problems.slice(0, maxListed).map(problemFrom),
        ...nothing,
      }
    }
  }

  /** By the gates that the front has: its users stay those of its start. */
  async function compare(before: Config, next: Config, app: Express): Promise<typeof nothing> {
    const [{ diffConfigs }, { ComparisonTooLong }, { printDiff }, { listUncompared }] = await Promise.all([
      import('../explain/diff.js'),
      import('../explain/pace.js'),
      import('../explain/diff-output.js'),
      import('../explain/uncompared.js'),
    ])
    const notCompared = listUncompared(before, next)
    const changed = changedTables(before, next)
    const atNextStart = changesAtNextStart(before, next)
    const { wire, usesFileUsers } = front
    const work =
      changed.length === 0 ? [] : diffConfigs(before, next, wire, { app, usesFileUsers, maxMs: maxCompareMs })
    const changes = await Promise.resolve(work).catch((error: unknown) => {
      if (error instanceof ComparisonTooLong) return undefined
      throw error
    })
    const diff: FileDiff = { changes: changes ?? [], notCompared }
    const count = (effect: 'let in' | 'refused'): number =>
      (changes ?? []).filter((change) => change.effect === effect).length
    const text = printDiff(diff, { after: next.path ?? '' })
    return {
      changed: changed.slice(0, maxListed),
      atNextStart,
      widened: count('let in'),
      narrowed: count('refused'),
      notCompared: notCompared.slice(0, maxListed),
      isComplete: changes !== undefined,
      diff: changes === undefined ? gaveUp : cut(text),
    }
  }

  return preview
}

const nothing: Pick<
  ReloadPreview,
  'changed' | 'atNextStart' | 'widened' | 'narrowed' | 'notCompared' | 'isComplete' | 'diff'
> = { changed: [], atNextStart: [], widened: 0, narrowed: 0, notCompared: [], isComplete: true, diff: '' }

const gaveUp = `The files tell more requests apart than can be compared in ${maxCompareMs / 1000} seconds: compare them with "npx sallyport diff".`

function problemFrom({ key, rule, position, suggestion }: ConfigProblem): ReloadPreview['problems'][number] {
  return { key, rule, position: position ?? null, ...(suggestion !== undefined && { suggestion }) }
}

/** The last line is the count, which is shown in any case. */
function cut(text: string): string {
  if (text.length <= maxDiffLength) return text
  const lines = text.split('\n')
  const count = lines.at(-1)!
  let length = 0
  const shown = lines.filter((line) => {
    length += line.length + 1
    return length <= maxDiffLength
  })
  return [
    ...shown,
    '',
    `... and ${lines.length - shown.length} more lines, which "npx sallyport diff" prints`,
    count,
  ].join('\n')
}
