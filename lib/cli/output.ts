/**
 * What commands print: tables for people, JSON for programs, and nothing that a terminal would obey.
 *
 * @module
 */

import { jsonLogger, type Logger, textLogger } from '../core/logger.js'
import type { CommandProcess } from './command.js'

/** A text without control characters, which a terminal could take for commands. */
export function printable(text: string): string {
  return text.replace(/\p{C}|[\u2028\u2029]/gu, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`)
}

/** As {@link printable}, but that lines stay lines. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n')
}

/** JSON that a terminal shows as it is: the same value, with more characters escaped. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(/(?!\n)\p{C}|[\u2028\u2029]/gu, (character) =>
    Array.from({ length: character.length }, (_, index) => unicodeEscape(character.charCodeAt(index))).join(''),
  )
}

function unicodeEscape(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`
}

/** Columns by their headings. */
export type Columns<Row> = Readonly<Record<string, (row: Row) => string | null | undefined>>

/** The rows below their headings, or one line where there are none. */
export function formatTable<Row>(rows: readonly Row[], columns: Columns<Row>, empty: string): string {
  if (rows.length === 0) return empty
  const headings = Object.keys(columns)
  const cells = rows.map((row) => Object.values(columns).map((read) => printable(read(row) ?? '-')))
  return alignColumns([headings, ...cells]).join('\n')
}

/** The rows as lines, with as much space behind each cell as its column needs. */
export function alignColumns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]!.length))) ?? []
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  )
}

/** Whether a command prints JSON: when it is told to, and where nobody reads along. */
export function wantsJson({ stdout }: CommandProcess, { json }: { readonly json?: boolean }): boolean {
  return json ?? stdout.isTTY !== true
}

/** A moment in the words of this place. */
export function shortMoment(text: string): string {
  const moment = new Date(text)
  return Number.isNaN(moment.getTime()) ? text : moment.toLocaleString('sv-SE')
}

/** What has to be seen, as text on a terminal and as lines of JSON elsewhere. `from`: the least that is shown on a terminal. */
export function commandLogger({ stderr }: CommandProcess, from: 'info' | 'warn' = 'warn'): Logger {
  const write = (text: string): void => {
    stderr.write(text)
  }
  if ((stderr as { isTTY?: boolean }).isTTY !== true) return jsonLogger(write)
  const logger = textLogger(write)
  return from === 'info' ? logger : { ...logger, info() {} }
}
