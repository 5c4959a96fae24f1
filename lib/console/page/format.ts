/**
 * Numbers, moments and names as people read them, in the language and the zone of the browser.
 *
 * @module
 */

const numbers = new Intl.NumberFormat('en')
const dateTimes = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' })
const times = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' })
const minutes = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short' })
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'long' })

export const formatNumber = (value: number): string => numbers.format(value)
/** `29 Nov 2026, 16:02:11` */
export const formatDateTime = (moment: Date): string => dateTimes.format(moment)
/** `16:02:11` */
export const formatTime = (moment: Date): string => times.format(moment)
/** `16:02` */
export const formatMinute = (moment: Date): string => minutes.format(moment)

/** Line breaks, blanks but the usual one, and what turns the text around it or is not seen at all. */
const hiddenCharacters = /(?! )[\p{Cc}\p{Z}\u2800\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\uFFF9-\uFFFB]/gu

/** What anybody may have typed, with the characters that cannot be seen as `\u{202E}`: they make one name look like another. */
export function visible(text: string): string {
  return text.replace(hiddenCharacters, (character) => `\\u{${character.codePointAt(0)!.toString(16).toUpperCase()}}`)
}

/** `1 session`, `3 sessions` */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatNumber(count)} ${count === 1 ? one : many}`
}

const units = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
] as const

/** `3 minutes ago`, `in 2 days`, `now` */
export function formatRelative(moment: Date, now = Date.now()): string {
  const seconds = (moment.getTime() - now) / 1000
  // Half of the smaller unit less than a whole one is rounded to it: `in 12 hours`, and never `in 60 minutes`.
  const least = (length: number, index: number): number => length - (units[index + 1]?.[1] ?? 0) / 2
  const [unit, length] = units.find(([, length], index) => Math.abs(seconds) >= least(length, index)) ?? units.at(-1)!
  return relative.format(Math.round(seconds / length), unit)
}

/** What each kind of session is called: one, and several. */
const kindNames: Readonly<Record<string, readonly [one: string, many: string]>> = {
  management: ['management token', 'management tokens'],
  portal: ['portal session', 'portal sessions'],
  oauth: ['OAuth token', 'OAuth tokens'],
  sso: ['single sign-on', 'single sign-ons'],
  api: ['API token', 'API tokens'],
  issuer: ['token of a trusted issuer', 'tokens of trusted issuers'],
  machine: ['token of a machine', 'tokens of machines'],
  icp: ['token of the control plane', 'tokens of the control plane'],
}

/** What a list of sessions can be asked for. */
export const kinds: readonly string[] = Object.keys(kindNames).filter((kind) => kind !== 'machine')

/** One, or several where `count` is not 1. */
export const kindName = (kind: string, count = 1): string => kindNames[kind]?.[count === 1 ? 0 : 1] ?? kind

/** The first letter as at the start of a sentence. */
export const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
