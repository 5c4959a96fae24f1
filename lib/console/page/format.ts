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
  const [unit, length] = units.find(([, length]) => Math.abs(seconds) >= length) ?? ['second', 1]
  return relative.format(Math.trunc(seconds / length), unit)
}

/** What each kind of session is called. */
export const kindNames: Readonly<Record<string, string>> = {
  management: 'Management token',
  portal: 'Portal session',
  oauth: 'OAuth token',
  sso: 'Single sign-on',
  api: 'API token',
  issuer: 'Trusted issuer',
  icp: 'Integration Control Plane',
}

export const kindName = (kind: string): string => kindNames[kind] ?? kind
