/**
 * Which names are the same, and which a pattern means.
 *
 * @module
 */

/** What names have in common that differ in letter case or in how accents are encoded. */
export function foldName(name: string): string {
  return name.normalize('NFC').toLowerCase().normalize('NFC')
}

/** The spellings of a name that may be stored: WSO2 stores what it was given, composed or not. */
export function spellingsOf(name: string): readonly string[] {
  return [...new Set([name.normalize('NFC'), name.normalize('NFD')])]
}

/** `name` without the domain before it, when that is `domain`; the letter case of the domain does not count. */
export function withoutDomain(name: string, domain: string): string {
  const length = domain.length
  const hasDomain = name[length] === '/' && name.slice(0, length).toUpperCase() === domain.toUpperCase()
  return hasDomain ? name.slice(length + 1) : name
}

/** A pattern of `LIKE` for one of `*` and `?`, where `!` stands before a character that means itself. */
export function likePattern(pattern: string): string {
  return pattern.replace(/[!%_]/g, '!$&').replace(/\*+/g, '%').replaceAll('?', '_')
}

/** Whether a name matches a pattern of `*` and `?`. Takes at most the product of their lengths. */
export function matchesPattern(name: string, pattern: string): boolean {
  const text = [...name]
  const glob = [...pattern]
  let at = 0
  let star = -1
  let resume = 0
  let index = 0
  while (index < text.length) {
    if (glob[at] === '*') {
      star = at++
      resume = index
    } else if (at < glob.length && (glob[at] === '?' || glob[at] === text[index])) {
      at++
      index++
    } else if (star >= 0) {
      at = star + 1
      index = ++resume
    } else {
      return false
    }
  }
  while (glob[at] === '*') at++
  return at === glob.length
}
