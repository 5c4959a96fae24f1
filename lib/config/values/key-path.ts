/**
 * Key paths: how a place in a configuration is named, compared and printed.
 *
 * @module
 */

/** Steps from the root of a configuration: a name for a table, a number for an entry of a list. */
export type KeyPath = readonly (string | number)[]

const bareKey = /^[A-Za-z0-9_-]+$/

/** Prints a path as an operator would write the key: `internal_apis.users[1].user.name`, `secrets.'a.b'`. */
export function formatKey(path: KeyPath): string {
  let text = ''
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`
    else text += `${text === '' ? '' : '.'}${bareKey.test(step) ? step : quoteKey(step)}`
  }
  return text
}

function quoteKey(name: string): string {
  return /['\p{Cc}]/u.test(name) ? JSON.stringify(name) : `'${name}'`
}

/** Splits `a.'b.c'.d` into its names; `undefined` when the text is not a dotted key. */
export function parseKey(text: string): string[] | undefined {
  const names: string[] = []
  const step = /\s*(?:'([^']*)'|"([^"]*)"|([A-Za-z0-9_-]+))\s*(\.|$)/y
  while (step.lastIndex < text.length) {
    const match = step.exec(text)
    if (match === null) return undefined
    names.push(match[1] ?? match[2] ?? match[3]!)
    if (match[4] === '') return names
  }
  return undefined
}

/** A step of a printed path: a name, bare or in quotes, or the number of an entry. */
const printedStep = /(?:^|(?!^)\.)(?:([A-Za-z0-9_-]+)|'([^']*)')|(?!^)\[(\d+)\]/y

/** Reads what {@link formatKey} prints; `undefined` for anything else, and for a name that needs more than plain quotes. */
export function parsePrintedKey(text: string): KeyPath | undefined {
  const path: (string | number)[] = []
  printedStep.lastIndex = 0
  for (let end = 0; end < text.length; end = printedStep.lastIndex) {
    const match = printedStep.exec(text)
    if (match === null) return undefined
    const [, bare, quoted, index] = match
    path.push(index === undefined ? (bare ?? quoted!) : Number(index))
  }
  return path.length === 0 ? undefined : path
}

function readNames(path: KeyPath): string[] {
  return path.filter((step) => typeof step === 'string')
}

export function isWithin(inner: KeyPath, outer: KeyPath): boolean {
  return outer.every((step, index) => inner[index] === step)
}

const secretName = /pass(?:word|phrase)|pwd|secret|token|credential|^totp$/i

/** Whether the value of a key may be a secret, by the key's own name; everything in `[secrets]` is one. */
export function isSecretKey(path: KeyPath): boolean {
  const names = readNames(path)
  return names[0] === 'secrets' || secretName.test(names.at(-1) ?? '')
}
