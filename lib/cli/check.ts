/**
 * `sallyport check`: what a file says, what of it does nothing, and what should be put right.
 *
 * @module
 */

import { readFileSync, statSync } from 'node:fs'
import { Command, type CommanderError } from 'commander'
import { Inspection, type Opening } from '../app/inspection.js'
import { type CheckFinding, checkText, type FileCheck, fixText } from '../config/check-file.js'
import type { KeyClass } from '../config/checks/classify-keys.js'
import type { ValueOrigin } from '../config/checks/effective-values.js'
import { readText } from '../config/load.js'
import { systemClock } from '../core/clock.js'
import type { Position } from '../core/errors.js'
import { canonicalPath, replaceFile } from '../files/replace-file.js'
import { CommandError, type CommandProcess, isExpected, reasonFrom } from './command.js'
import { printableLines } from './output.js'

interface CheckCommandOptions {
  readonly json?: boolean
  readonly quiet?: boolean
  readonly all?: boolean
  readonly fix?: boolean
  readonly output?: string
  readonly connect?: boolean
  readonly failOn: string
}

const findingClasses: readonly KeyClass[] = ['mistake', 'risky', 'without-effect', 'unknown']

/** The exit code is 0 for a file without findings, 1 with findings, and 2 where nothing could be checked. */
export function checkCommand(process: CommandProcess, clock: () => number = systemClock): Command {
  const command = new Command('check')
    .description('Says what of a file is a mistake, risky, unknown or without effect; and what each key does.')
    .argument('<file>', 'the configuration file')
    .option('--json', 'print one JSON object')
    .option('--all', 'print each key too, and what holds where nothing is written')
    .option('--quiet', 'print the findings only')
    .option('--fix', 'write what can be put right into the file')
    .option('--output <file>', 'write it into another file')
    .option('--connect', 'ask the user store for a user')
    .option('--fail-on <classes>', 'what makes the exit code 1', findingClasses.join(','))
    .allowExcessArguments(false)
  command.exitOverride((error) => endUsage(process, error))
  return command.action(async (file: string, options: CheckCommandOptions) => {
    try {
      const failOn = readClasses(options.failOn)
      const report = await check(file, options, clock)
      // Names in a file may hold what a terminal obeys.
      const text = options.json === true ? formatJson(report) : printableLines(formatReport(report, options))
      if (text !== '') process.stdout.write(`${text}\n`)
      process.exitCode = report.findings.some((finding) => failOn.includes(finding.class)) ? 1 : 0
    } catch (error) {
      if (!isExpected(error)) throw error
      process.stderr.write(`${reasonFrom(error as Error)}\n`)
      process.exitCode = 2
    }
  })
}

/** Commander's own code is 1, which says that there are findings. */
function endUsage({ exit }: CommandProcess, error: CommanderError): never {
  if (exit !== undefined) exit(error.exitCode === 0 ? 0 : 2)
  throw error
}

function readClasses(list: string): readonly string[] {
  const classes = list.split(',').filter((name) => name !== '')
  const unknown = classes.find((name) => !findingClasses.some((known) => known === name))
  if (unknown === undefined) return classes
  throw new CommandError(`--fail-on takes ${findingClasses.join(', ')}, and no ${unknown}.`)
}

async function check(
  file: string,
  { fix = false, output, connect = false }: CheckCommandOptions,
  clock: () => number,
): Promise<CheckReport> {
  const inspection = new Inspection({ connect, clock, env: process.env })
  const options = { inspect: inspection.inspect.bind(inspection) }
  const text = await readText(file)
  const wants = fix || output !== undefined
  const { text: fixedText, fixed } = wants ? await fixText(text, file, options) : { text, fixed: [] }
  if (output !== undefined) write(output, fixedText, file)
  else if (fixedText !== text) {
    if ((await readText(file)) !== text) throw new CommandError(`${file} was changed meanwhile: nothing was written.`)
    write(file, fixedText, file)
  }
  const { opened, notOpened } = inspection
  return { file, ...(await checkText(fixedText, file, options)), fixed, opened, notOpened }
}

/** With the rights and the owner of the file that was read, and its byte order mark, which is no part of the text. */
function write(file: string, text: string, original: string): void {
  const { uid, gid, mode } = statSync(original)
  const mark = readFileSync(original, 'utf8').startsWith('\ufeff') ? '\ufeff' : ''
  replaceFile(canonicalPath(file), `${mark}${text}`, { owner: { uid, gid }, mode: mode & 0o777 })
}

function formatJson({ file, findings, keys, values, opened, notOpened, fixed }: CheckReport): string {
  const report = { file, counts: countClasses({ keys }), findings, keys, values, opened, notOpened, fixed }
  return JSON.stringify(report, undefined, 2)
}

/** All that is known of a file. */
interface CheckReport extends FileCheck {
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

function countClasses({ keys }: Pick<FileCheck, 'keys'>): Readonly<Record<KeyClass, number>> {
  const counts = { used: 0, other: 0, 'without-effect': 0, risky: 0, unknown: 0, mistake: 0 }
  for (const key of keys) counts[key.class]++
  return counts
}

/** `quiet`: the findings alone. `all`: each key and each value as well. */
function formatReport(
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
  const place = formatPlace(position, '')
  if (kind === 'file') return place
  if (kind === 'default' || kind === 'inferred') return kind
  return `${originNames[kind]}: ${names.join(', ')}, ${place}`
}
