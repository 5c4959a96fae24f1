/**
 * What a file says, what of it does nothing, and what should be put right: what `sallyport check` prints. It reads the file as
 * a server does.
 *
 * @module
 */

import { ConfigError, type ConfigProblem, type Position } from '../core/errors.js'
import { type ClassifiedKey, classifyKeys, type KeyClass } from './checks/classify-keys.js'
import { type EffectiveValue, listEffectiveValues } from './checks/effective-values.js'
import { describeFindings, type Finding } from './checks/findings.js'
import type { Config } from './config.js'
import { interpretText, type LocatedInterpretation, parseToml } from './load.js'
import { conclude } from './parse.js'
import { formatKey, isWithin, type KeyPath } from './values/key-path.js'
import type { ConfigOptions } from './values/placeholders.js'
import { editToml, type TomlEdit } from './values/toml-edits.js'
import type { Tree } from './values/tree.js'

/** Something that should be put right, or that does not do what a reader may think. */
export interface CheckFinding extends ConfigProblem {
  /** `used` and `other` are no findings. */
  readonly class: Exclude<KeyClass, 'used' | 'other'>
  /** Whether `--fix` puts it right. */
  readonly isFixable: boolean
}

export interface CheckedKey extends Omit<ClassifiedKey, 'path'> {
  readonly key: string
  readonly position?: Position | undefined
}

export interface FileCheck {
  readonly findings: readonly CheckFinding[]
  readonly keys: readonly CheckedKey[]
  readonly values: readonly EffectiveValue[]
}

export interface CheckOptions extends ConfigOptions {
  /** Looks at what the file names, and changes nothing. It is called where the file has no mistakes. `source`: as written. */
  readonly inspect?: ((config: Config, source: Tree) => Promise<readonly InspectedFinding[]>) | undefined
}

/** What is found outside of the file. */
export interface InspectedFinding extends Finding {
  /** Whether it stops the start. */
  readonly isMistake?: boolean | undefined
}

/** A check, and what puts its findings right. */
export interface Reading {
  readonly check: FileCheck
  readonly fixes: readonly TomlEdit[]
  /** Mistakes of the file itself. */
  readonly mistakes: number
}

/** Checks the text of a file. What is no TOML has one finding, and no keys. */
export async function checkText(text: string, file: string, options: CheckOptions = {}): Promise<FileCheck> {
  return (await readText(text, file, options)).check
}

async function readText(text: string, file: string, { inspect, ...options }: CheckOptions): Promise<Reading> {
  const read = await interpretText(text, file, options).catch((error: unknown) => {
    if (error instanceof ConfigError) return error
    throw error
  })
  if (read instanceof ConfigError) {
    const findings = read.problems.map((problem) => ({ ...problem, class: 'mistake', isFixable: false }) as const)
    return { check: { findings, keys: [], values: [] }, fixes: [], mistakes: findings.length }
  }
  const { interpretation, locate } = read
  const { config, source } = interpretation
  const inspected = config === undefined ? [] : ((await inspect?.(conclude(interpretation, locate), source)) ?? [])
  return checkInterpretation({ ...read, text, file }, inspected)
}

/** What {@link checkInterpretation} looks at. */
export interface CheckedSource extends LocatedInterpretation {
  /** `undefined`: it is no file, and nothing of it can be fixed. */
  readonly text: string | undefined
  readonly file: string
}

/** Each fix is for itself, and there are not many: more are a loop. */
const maxFixes = 200

/** Checks a document that was read before. `inspected`: what was found outside of it. */
export function checkInterpretation(
  { interpretation, locate, text, file }: CheckedSource,
  inspected: readonly InspectedFinding[],
): Reading {
  const { mistakes, warnings, unknown, source } = interpretation
  const unknownPaths = new Set(unknown)
  const applicable = new Map<TomlEdit, boolean>()
  const keys = classifyKeys(interpretation, inspected)
  const found: (Finding & Pick<CheckFinding, 'class'>)[] = [
    ...mistakes.map((finding) => ({ ...finding, class: 'mistake' as const, fix: finding.fix ?? renaming(finding) })),
    ...[...warnings.filter(({ path }) => !unknownPaths.has(path)), ...inspected].map((finding: InspectedFinding) => {
      const kind = finding.isIdle === true ? ('without-effect' as const) : ('risky' as const)
      return { ...finding, class: finding.isMistake === true ? ('mistake' as const) : kind }
    }),
    ...unknown.map((path) => ({ path, rule: 'is not known here and has no effect', class: 'unknown' as const })),
    ...idleFindings(keys),
  ]
  const findings = describe(found)
  return {
    check: {
      findings,
      keys: keys.map(({ path, ...key }) => ({ key: formatKey(path), ...key, position: locate(path) })),
      values: listEffectiveValues(interpretation, locate),
    },
    fixes: found.map(({ fix }) => fix).filter(isApplicable),
    mistakes: mistakes.length,
  }

  /** Each fix is tried once, and those behind the first ones not at all: to try one is to read the text. */
  function isApplicable(fix: TomlEdit | undefined): fix is TomlEdit {
    if (fix === undefined || text === undefined) return false
    const known = applicable.get(fix)
    if (known !== undefined || applicable.size >= maxFixes) return known === true
    const is = applyFix(text, fix, file) !== undefined
    applicable.set(fix, is)
    return is
  }

  function describe(list: readonly (Finding & Pick<CheckFinding, 'class'>)[]): CheckFinding[] {
    const described = list.map((finding) => {
      const [problem] = describeFindings([finding], source, locate)
      return { ...problem!, class: finding.class, isFixable: isApplicable(finding.fix) }
    })
    const lineOf = ({ position }: CheckFinding): number => position?.line ?? 0
    return described.sort((a, b) => lineOf(a) - lineOf(b))
  }
}

/** One finding for all keys that have no effect for one reason. */
function idleFindings(keys: readonly ClassifiedKey[]): readonly (Finding & { readonly class: 'without-effect' })[] {
  const byNote = new Map<string, { readonly path: KeyPath; others: number }>()
  for (const { path, note } of keys) {
    const first = note === undefined ? undefined : byNote.get(note)
    if (first !== undefined) first.others++
    else if (note !== undefined) byNote.set(note, { path, others: 0 })
  }
  return [...byNote].map(([note, { path, others }]) => {
    const more = others === 0 ? '' : ` (and ${others} more)`
    return { path, rule: `${note}${more}`, class: 'without-effect' }
  })
}

/** A name that is nearly a known one of the same table is taken for it. */
function renaming({ path, suggestion, rule }: Finding): TomlEdit | undefined {
  const isName = typeof path.at(-1) === 'string' && rule.startsWith('is not a known')
  return suggestion === undefined || !isName || suggestion.includes('.')
    ? undefined
    : { kind: 'rename', path, name: suggestion }
}

export interface FixedText {
  readonly text: string
  /** Keys that were changed. */
  readonly fixed: readonly string[]
}

/** Puts right what can be: everything else stays as it is. A second time there is nothing left to put right. */
export async function fixText(text: string, file: string, options: CheckOptions = {}): Promise<FixedText> {
  let fixedText = text
  const fixed: string[] = []
  const failed = new Set<string>()
  for (let count = 0; count < maxFixes; count++) {
    const before = await readText(fixedText, file, options)
    const fix = before.fixes.find((candidate) => !failed.has(JSON.stringify(candidate)))
    if (fix === undefined) break
    const changed = applyFix(fixedText, fix, file)
    const isGood =
      changed !== undefined &&
      (await readText(changed, file, { ...options, inspect: undefined })).mistakes <= before.mistakes
    if (isGood) {
      fixedText = changed
      fixed.push(formatKey(fix.path))
    } else failed.add(JSON.stringify(fix))
  }
  return { text: fixedText, fixed: [...new Set(fixed)] }
}

/** The text with the fix; `undefined` where there is no place for it, and where more would change than it wants. */
function applyFix(text: string, fix: TomlEdit, file: string): string | undefined {
  const changed = editToml(text, fix)
  return changed !== undefined && changed !== text && changesOnly(fix, text, changed, file) ? changed : undefined
}

/** Whether two texts have the same values but where a fix wants others. */
function changesOnly(fix: TomlEdit, before: string, after: string, file: string): boolean {
  const [old, present] = [before, after].map((text) => readValues(text, file))
  if (old === undefined || present === undefined) return false
  const paths = fix.kind === 'rename' ? [fix.path, [...fix.path.slice(0, -1), fix.name]] : [fix.path]
  const differing = [...new Set([...old.keys(), ...present.keys()])].filter((key) => old.get(key) !== present.get(key))
  return differing.every((key) => paths.some((path) => isWithin(JSON.parse(key) as KeyPath, path)))
}

/** Every value by its path; `undefined` for what is no TOML. */
function readValues(text: string, file: string): Map<string, string> | undefined {
  const values = new Map<string, string>()
  const visit = (value: unknown, path: KeyPath): void => {
    if (typeof value !== 'object' || value === null || value instanceof Date) {
      values.set(JSON.stringify(path), String(value))
    } else if (Array.isArray(value)) for (const [index, entry] of value.entries()) visit(entry, [...path, index])
    else for (const [name, inner] of Object.entries(value)) visit(inner, [...path, name])
  }
  try {
    visit(parseToml(text, file), [])
    return values
  } catch (error) {
    if (error instanceof ConfigError) return undefined
    throw error
  }
}
