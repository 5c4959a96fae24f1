/**
 * What an operator sees of the configuration in effect: each key with its value and place, and what `sallyport check` finds.
 *
 * @module
 */

import type { ConfigurationFinding, ConfigurationKey, ConfigurationView } from '../admin-api/schemas/configuration.js'
import type { FileCheck } from '../config/check-file.js'
import { mask } from '../config/checks/effective-values.js'
import type { Config } from '../config/config.js'
import { findSource } from '../config/kept-sources.js'
import { readConfigFile } from '../config/load.js'
import { ConfigError } from '../core/errors.js'
import { Inspection } from './inspection.js'
import type { RunningState } from './reload.js'

/** What stands for a secret. */
const hidden = '***'

/** What {@link describeConfiguration} works with. */
export interface ConfigurationViewParts {
  readonly running: RunningState
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: () => number
}

/** How old a view may get: what the file names, such as a certificate, changes by itself. */
const maxAgeMs = 60_000

interface MadeView {
  readonly config: Config
  readonly at: number
  readonly view: Promise<Pick<ConfigurationView, 'keys' | 'findings'>>
}

/** Makes what answers `GET /configuration`. One view is made at a time, and kept for a minute or until the next reload. */
export function createConfigurationView(parts: ConfigurationViewParts): () => Promise<ConfigurationView> {
  const { running, clock } = parts
  let made: MadeView | undefined

  return async () => {
    const { config, readAt } = running
    const now = clock()
    if (made?.config !== config || now - made.at >= maxAgeMs || now < made.at) {
      const next = { config, at: now, view: describe(config, parts) }
      made = next
      next.view.catch(() => {
        if (made === next) made = undefined
      })
    }
    const [view, onDisk] = await Promise.all([made.view, compareWithDisk(config)])
    return { file: config.path ?? null, readAt: new Date(readAt).toISOString(), ...view, ...onDisk }
  }
}

/** Whether the file of a configuration has another text than it was read from. */
async function compareWithDisk(
  config: Config,
): Promise<Pick<ConfigurationView, 'hasChangedOnDisk' | 'isReadableOnDisk'>> {
  const text = findSource(config)?.text
  if (config.path === undefined || text === undefined) return { hasChangedOnDisk: false, isReadableOnDisk: true }
  try {
    const now = await readConfigFile(config.path)
    return { hasChangedOnDisk: now.text !== text, isReadableOnDisk: true }
  } catch (error) {
    if (error instanceof ConfigError) return { hasChangedOnDisk: true, isReadableOnDisk: false }
    throw error
  }
}

async function describe(
  config: Config,
  { env, clock }: ConfigurationViewParts,
): Promise<Pick<ConfigurationView, 'keys' | 'findings'>> {
  const source = findSource(config)
  if (source === undefined) return { keys: [], findings: [] }
  // Whether it can be fixed is asked, and no fix is made.
  const inspection = new Inspection({ connect: false, clock, env, hash: async () => hidden })
  const inspected = await inspection.inspect(config, source.interpretation.source)
  const { checkInterpretation } = await import('../config/check-file.js')
  const { check } = checkInterpretation({ ...source, file: config.path ?? '' }, inspected)
  return { keys: listKeys(check), findings: check.findings.map(findingFrom) }
}

/** Keys with a schema have a value; of the others, which are for other programs, nothing but the name is shown. */
export function listKeys({ keys, values }: Pick<FileCheck, 'keys' | 'values'>): readonly ConfigurationKey[] {
  const rest = new Map(values.map((value) => [value.key, value]))
  const written = keys.map(({ key, class: kind, note, position }): ConfigurationKey => {
    const known = rest.get(key)
    rest.delete(key)
    const shown = known ?? { value: '', origin: { kind: 'file' } as const }
    return { ...keyFrom(key, shown), position: position ?? null, class: kind, ...(note !== undefined && { note }) }
  })
  const others = [...rest].map(
    ([key, value]): ConfigurationKey => ({
      ...keyFrom(key, value),
      position: value.origin.position ?? null,
      class: 'used',
    }),
  )
  return [...written, ...others]
}

function keyFrom(
  key: string,
  { value, origin: { kind, names = [] } }: Pick<FileCheck['values'][number], 'value' | 'origin'>,
): Pick<ConfigurationKey, 'key' | 'value' | 'origin' | 'names'> {
  const shown = value.replaceAll(mask, hidden)
  return { key, value: shown, origin: kind, ...(names.length > 0 && { names }) }
}

function findingFrom({
  class: kind,
  key,
  rule,
  isFixable,
  position,
  suggestion,
}: FileCheck['findings'][number]): ConfigurationFinding {
  return {
    class: kind,
    key,
    rule,
    position: position ?? null,
    ...(suggestion !== undefined && { suggestion }),
    isFixable,
  }
}
