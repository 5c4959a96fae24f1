/**
 * The log: pino's calling convention, a default that writes one escaped line to stderr, and a logger that cannot fail.
 *
 * @module
 */

import { inBackground } from '../async/background.js'

/** A logger with pino's shape: fields first, then the message. A pino logger fits as it is. */
export interface Logger {
  /** The course of things: a login, a change of users. */
  info(fields: object, message: string): void
  /** What somebody should look at: a refusal, an eviction, a risky setting. */
  warn(fields: object, message: string): void
  /** What has failed: a store, a listener, an answer of 5xx. */
  error(fields: object, message: string): void
}

/** Writes one JSON line per entry. Control, bidirectional and line-separating characters are escaped. It never throws. */
export function jsonLogger(write: (line: string) => void = stderrWriter()): Logger {
  const at =
    (level: string) =>
    (fields: object, message: string): void => {
      const entry = { time: new Date().toISOString(), level, message }
      write(`${escapeLine(formatLine(entry, fields))}\n`)
    }
  return { info: at('info'), warn: at('warn'), error: at('error') }
}

/**
 * What is logged to where nobody has said: text for people on a terminal, JSON elsewhere. The level comes first, then the message
 * and the fields.
 */
export function defaultLogger(): Logger {
  return process.stderr.isTTY === true ? textLogger() : jsonLogger()
}

/** Writes one line of text per entry, with the same escapes as {@link jsonLogger}. It never throws. */
export function textLogger(write: (line: string) => void = stderrWriter()): Logger {
  const at =
    (level: string) =>
    (fields: object, message: string): void =>
      write(`${escapeLine(`${level}: ${describeText(message)}${formatFields(fields, message)}`)}\n`)
  return { info: at('info'), warn: at('warn'), error: at('error') }
}

/** Without what the message begins with, and the name of the event, which it stands for. */
function formatFields(fields: object, message: string): string {
  try {
    const {
      key,
      position,
      event: _,
      ...others
    } = JSON.parse(JSON.stringify(fields, plainValue)) as Record<string, unknown>
    const { file, line, column } = (position ?? {}) as Partial<Record<'file' | 'line' | 'column', unknown>>
    const place = position === undefined ? '' : ` (${describeText(String(file))}:${line}:${column})`
    const shown = key === undefined || message.startsWith(`${key}: `) ? others : { key, ...others }
    const texts = Object.entries(shown).map(([name, value]) => `${name}=${describeValue(value)}`)
    return `${texts.length === 0 ? '' : ` ${texts.join(' ')}`}${place}`
  } catch {
    return ' (fields that could not be written)'
  }
}

function describeValue(value: unknown): string {
  return typeof value === 'string' && /^[!#-<>-[\]-~]+$/.test(value) ? value : JSON.stringify(value)
}

/** JSON escapes control characters, which a terminal may obey. */
function describeText(text: string): string {
  return JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"')
}

/** A log whose reader has gone must not end the process, which a stream without a listener for its errors would. */
function stderrWriter(): (line: string) => void {
  if (!process.stderr.listeners('error').includes(ignoreError)) process.stderr.on('error', ignoreError)
  return (line) => {
    process.stderr.write(line)
  }
}

function ignoreError(): void {}

/** By the app's logger. A safe logger is its own. */
const safeLoggers = new WeakMap<Logger, Logger>()

/**
 * The logger of an app, made safe: one that throws or rejects (a full disk, a closed pipe) changes nothing for whoever logs.
 * The same logger gives the same safe one. Errors among the fields become plain objects.
 */
export function safeLogger(logger: Logger): Logger {
  const known = safeLoggers.get(logger)
  if (known !== undefined) return known
  const at =
    (level: keyof Logger) =>
    (fields: object, message: string): void =>
      inBackground(() => logger[level](withPlainErrors(fields), message))
  const safe: Logger = { info: at('info'), warn: at('warn'), error: at('error') }
  safeLoggers.set(logger, safe).set(safe, safe)
  return safe
}

function formatLine(entry: object, fields: object): string {
  try {
    return JSON.stringify({ ...entry, ...fields, ...entry }, plainValue)
  } catch {
    return JSON.stringify({ ...entry, fields: 'could not be written as JSON' }) // a circle, or a getter that throws
  }
}

/** Characters that JSON leaves as they are, but that would break a line or turn its reading direction on a terminal. */
const unsafeInLine = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g

function escapeLine(line: string): string {
  return line.replace(unsafeInLine, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function plainValue(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : plainError(value)
}

/** Fields whose errors are plain objects: a logger that serialises them by itself would leave the message out. */
function withPlainErrors(fields: object): object {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, plainError(value)]))
}

/** Causes of causes that are written. */
const maxCauses = 5

function plainError(value: unknown, depth: number = 0): unknown {
  if (!(value instanceof Error) || depth === maxCauses) return value instanceof Error ? value.message : value
  const { name, message, code, cause } = value as Error & { code?: unknown }
  return { name, message, code, cause: plainError(cause, depth + 1) }
}
