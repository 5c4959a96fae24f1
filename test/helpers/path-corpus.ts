import { readFileSync } from 'node:fs'

/** A request target that tries to pass a guard. */
export interface PathEntry {
  readonly id: string
  readonly method: string
  readonly target: string
  readonly encoding: 'latin1' | 'utf8'
  readonly headers?: readonly (readonly [name: string, value: string])[]
  readonly httpVersion?: string
  /** Replaces the whole message. */
  readonly rawRequest?: string
  /** `deny`: only administrators may get through. `open`: everybody gets the same answer. */
  readonly expect: 'deny' | 'open' | 'preflight'
  /** Statuses of apps without a guard. */
  readonly status: Readonly<Record<string, number | undefined>>
}

const corpus = new URL('../corpora/path-bypass.json', import.meta.url)

/** All entries of `path-bypass.json`. */
export const pathEntries: readonly PathEntry[] = JSON.parse(readFileSync(corpus, 'utf8')).entries

/** Names that the placeholders of the corpus stand for. */
export const pathNames = { prefix: '/management', name: 'users', id: '42' } as const

/** The bytes of an entry's request to `host`, with more header lines in each message. */
export function bytesOf(entry: PathEntry, host: string, lines: readonly string[]): Buffer {
  const { method, target, headers = [], httpVersion = '1.1', rawRequest } = entry
  const requestLine = `${method} {target} HTTP/${httpVersion}\r\n`
  const hostLine = httpVersion === '1.0' ? '' : 'Host: {host}\r\n'
  const fields = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const template = rawRequest ?? `${requestLine}${hostLine}Connection: close\r\n${fields}\r\n`
  const message = expand(
    template.replaceAll('{target}', () => target),
    host,
  )
  // After each request line, with the line end of the message: pipelined requests get them all.
  const complete = message.replace(
    / HTTP\/1\.[01](\r?\n)/g,
    (end, lineEnd: string) => end + lines.map((line) => line + lineEnd).join(''),
  )
  return Buffer.from(complete, entry.encoding)
}

/** Replaces the placeholders that the head of the corpus explains. */
function expand(template: string, host: string): string {
  const { prefix, name, id } = pathNames
  const words: Readonly<Record<string, string>> = {
    prefix,
    name,
    id,
    host,
    prefixWord: prefix.slice(1),
    NAME: name.toUpperCase(),
    Name: capital(name, 0),
    namE: capital(name, name.length - 1),
    nAmE: [...name].map((letter, index) => (index % 2 === 1 ? letter.toUpperCase() : letter)).join(''),
    PREFIX: prefix.toUpperCase(),
    Prefix: capital(prefix, 1),
  }
  return template.replace(
    /\{(?:(d?pct1|pctlast|d?pctall|PCTALL):)?(\w+)\}/g,
    (whole, coding: string | undefined, key: string) => {
      const word = words[key]
      if (word === undefined) throw new Error(`unknown placeholder ${whole}`)
      return coding === undefined ? word : encoded(coding, word)
    },
  )
}

function capital(word: string, index: number): string {
  return word.slice(0, index) + word.charAt(index).toUpperCase() + word.slice(index + 1)
}

function encoded(coding: string, word: string): string {
  const escapes = [...word].map((letter) => `%${letter.charCodeAt(0).toString(16)}`)
  switch (coding) {
    case 'pct1':
      return escapes[0] + word.slice(1)
    case 'pctlast':
      return word.slice(0, -1) + escapes.at(-1)
    case 'pctall':
      return escapes.join('')
    case 'PCTALL':
      return escapes.join('').toUpperCase()
    case 'dpct1':
      return escapes[0]?.replace('%', '%25') + word.slice(1)
    default:
      return escapes.join('').replaceAll('%', '%25')
  }
}
