/**
 * What `sallyport check` prints for people.
 *
 * @module
 */

import type { Opening } from '../app/inspection.js'
import type { CheckFinding, FileCheck } from '../config/check-file.js'
import type { KeyClass } from '../config/checks/classify-keys.js'
import type { ValueOrigin } from '../config/checks/effective-values.js'
import type { Position } from '../core/errors.js'

/** All that is known of a file. */
export interface CheckReport extends FileCheck {
  readonly file: string
  /** Keys that `--fix` changed. */
  readonly fixed: readonly string[]
  readonly opened: readonly Opening[]
  readonly notOpened: readonly Opening[]
}

const classNames: Readonly<Record<KeyClass, string>> = {
  used: 'used',
  other: 'not ours',
  'without-effect': 'without effect',
  risky: 'risky',
  unknown: 'unknown',
  mistake: 'mistake',
}

export function countClasses({ keys }: Pick<FileCheck, 'keys'>): Readonly<Record<KeyClass, number>> {
  const counts = { used: 0, other: 0, 'without-effect': 0, risky: 0, unknown: 0, mistake: 0 }
  for (const key of keys) counts[key.class]++
  return counts
}

/** `quiet`: the findings alone. `all`: each key and each value as well. */
export function formatReport(
  report: CheckReport,
  { quiet = false, all = false }: { readonly quiet?: boolean; readonly all?: boolean },
): string {
  const { file, fixed, findings, keys, values, opened, notOpened } = report
  const counts = Object.entries(countClasses(report))
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${count} ${classNames[name as KeyClass]}`)
  const title = `${file}: ${keys.length} key${keys.length === 1 ? '' : 's'}${counts.length === 0 ? '' : `: ${counts.join(', ')}`}`
  const described = findings.map((finding) => formatFinding(finding, file))
  if (quiet) return described.join('\n')
  const lines = [
    title,
    ...(fixed.length > 0 ? [`Fixed: ${fixed.join(', ')}`] : []),
    ...section(findings.length === 0 ? 'No findings' : 'Findings', described),
    ...(counts.length > 0 && findings.some(({ class: name }) => name === 'mistake')
      ? ['  Once the mistakes are put right, there may be more to find.']
      : []),
    ...section('Opened', opened.map(formatOpening)),
    ...section('Not opened', notOpened.map(formatOpening)),
  ]
  if (!all) return [...lines, '', '--all lists each key, and what holds where nothing is written.'].join('\n')
  const keyLines = keys.map(
    ({ key, class: name, position }) => `${formatPlace(position, file)} ${classNames[name]}: ${key}`,
  )
  const valueLines = values.map(({ key, value, origin }) => `${key} = ${value}    # ${formatOrigin(origin)}`)
  return [...lines, ...section('Keys', keyLines), ...section('What holds', valueLines)].join('\n')
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 && title !== 'No findings' ? [] : ['', title, ...lines.map((line) => `  ${line}`)]
}

function formatFinding(finding: CheckFinding, file: string): string {
  const { class: name, key, rule, suggestion, position, isFixable } = finding
  const hint = suggestion === undefined ? '' : `; did you mean ${suggestion}?`
  return `${formatPlace(position, file)} ${classNames[name]}: ${key}: ${rule}${hint}${isFixable ? ' (--fix)' : ''}`
}

function formatOpening({ key, text }: Opening): string {
  return `${key}: ${text}`
}

function formatPlace(position: Position | undefined, file: string): string {
  return position === undefined ? file : `${position.file}:${position.line}:${position.column}`
}

const originNames = {
  environment: 'the environment',
  'system-property': 'a system property',
  reference: 'another key',
  secret: '[secrets]',
}

function formatOrigin({ kind, names = [], position }: ValueOrigin): string {
  const place = position === undefined ? '' : `${position.file}:${position.line}:${position.column}`
  if (kind === 'file') return place
  if (kind === 'default' || kind === 'inferred') return kind
  return `${originNames[kind]}: ${names.join(', ')}, ${place}`
}
