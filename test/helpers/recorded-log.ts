import { jsonLogger, type Logger } from '../../lib/core/logger.js'

/** One entry as it was given to the logger. */
export interface LogEntry {
  readonly level: 'info' | 'warn' | 'error'
  readonly fields: Record<string, unknown>
  readonly message: string
}

/** A logger that keeps what it gets, and the lines that the default logger would write. */
export interface RecordedLog {
  readonly logger: Logger
  readonly entries: readonly LogEntry[]
  readonly lines: readonly string[]
}

/** Every secret that any test of this process has used: passwords, tokens, `Authorization` values, queries. */
const secrets = new Set<string>()

/** Notes a text that must never be seen in a log line or an event, and returns it. */
export function secret(text: string): string {
  // A short text could be part of a line by chance.
  if (text.length >= 6) secrets.add(text)
  return text
}

/** The noted secrets that are found in a text, escaped or not. */
export function secretsIn(text: string): readonly string[] {
  return [...secrets].filter((noted) => text.includes(noted) || text.includes(JSON.stringify(noted).slice(1, -1)))
}

/** Makes a {@link RecordedLog}. */
export function recordedLog(): RecordedLog {
  const entries: LogEntry[] = []
  const lines: string[] = []
  const writer = jsonLogger((line) => void lines.push(line))
  const at =
    (level: LogEntry['level']) =>
    (fields: object, message: string): void => {
      entries.push({ level, fields: fields as Record<string, unknown>, message })
      writer[level](fields, message)
    }
  return { logger: { info: at('info'), warn: at('warn'), error: at('error') }, entries, lines }
}
