/**
 * Near-misses: which known name a misspelled one was meant to be.
 *
 * @module
 */

/** The candidate that is spelled most like the name; `undefined` when none is close. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = plain(name)
  let best: string | undefined
  let bestDistance = toleranceFor(wanted) + 1
  for (const candidate of candidates) {
    const distance = editDistance(wanted, plain(candidate), bestDistance)
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** Case, `-` and `_` are no difference: `allowedOrigins` means `allowed_origins`. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[-_\s]/g, '')
}

/** How many letters may be wrong, missing or swapped. */
function toleranceFor(name: string): number {
  if (name.length <= 3) return 0
  if (name.length <= 5) return 1
  return name.length <= 9 ? 2 : 3
}

/**
 * Insertions, deletions, replacements and swaps of neighbours between two texts; `limit` when there are as many or more.
 */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let beforePrevious: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replacement = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      let distance = Math.min(replacement, previous[j]! + 1, row[j - 1]! + 1)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        distance = Math.min(distance, beforePrevious[j - 2]! + 1)
      }
      row.push(distance)
    }
    beforePrevious = previous
    previous = row
  }
  return Math.min(previous[b.length]!, limit)
}

/** C0, DEL and C1. */
const controlCharacter = /\p{Cc}/u

/** Whether a text has a control character. */
export function hasControlCharacter(text: string): boolean {
  return controlCharacter.test(text)
}

/** The portal of the operators, which keeps to itself: it has rules by address and a login of its own. */
export const managementConsole = 'management_console'

/** `sso` is the name of the cookie of the sign-on that portals share. */
const portalName = /^(?!sso$)[A-Za-z0-9_-]{1,64}$/

/** What {@link isPortalName} requires. */
export const portalNameRule = 'must be 1 to 64 letters, digits, _ and -, and not sso'

/** Whether a text can be the name of a portal. It becomes part of a cookie's name and of what session ids are made of. */
export function isPortalName(name: unknown): name is string {
  return typeof name === 'string' && portalName.test(name)
}
