/**
 * Repeatable randomness, and texts that are nearly right.
 *
 * @module
 */

/** Numbers that depend on a seed alone. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** From 0 to `limit - 1`: the generator mulberry32, which is enough for choosing inputs. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit)
  }

  oneOf<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!
  }

  /** True once in so many calls. */
  oneIn(count: number): boolean {
    return this.below(count) === 0
  }
}

/** What parsers stumble over: separators, escapes, controls, other scripts, numbers at the edge, names of every object. */
const pieces: readonly string[] = [
  ...'/\\.:;,?#%@=&+-_*$()[]{}<>|~^`\'"! \t\r\n\0\u007f\u0085\u00a0\u00e9\u017f\u202e\u2028\u212a\ufeff\ud800\udc00',
  ...['//', '/../', '/./', '%2f', '%2F', '%5c', '%00', '%2e%2e', '%ff', '%zz', '%25', '%C5%BF', '%E2%84%AA'],
  ...['Basic ', 'Bearer ', 'bearer', 'a:b', 'YTpi', '==', 'eyJ', '.e30.', 'null', 'true', '__proto__', 'constructor'],
  ...['0', '-1', '9007199254740993', '1e999', '255', '::', '::ffff:', '/0', '/33', '127.0.0.1', '0x7f', 's', 'ms'],
  ...[
    '"',
    '""',
    '{}',
    '[]',
    '{"a":1',
    '$env{HOME}',
    '$ref{a.b}',
    '$argon2id$v=19$m=19456,t=2,p=1$',
    '$2b$10$',
    '\u{1f511}',
  ],
]

/** A text of random pieces and characters. */
export function randomText(random: Random, longest = 24): string {
  const length = random.oneIn(200) ? random.below(20_000) : random.below(longest)
  let text = ''
  while (text.length < length) {
    text += random.oneIn(2)
      ? random.oneOf(pieces)
      : String.fromCharCode(random.oneIn(8) ? random.below(0x10000) : 32 + random.below(95))
  }
  return text
}

/** Changes a text in a few places; sometimes in none. */
export function mutated(random: Random, text: string): string {
  let changed = text
  for (let count = random.below(4); count > 0; count--) {
    const at = random.below(changed.length + 1)
    const end = Math.min(changed.length, at + random.below(4))
    const piece = random.oneIn(3) ? changed.slice(random.below(at + 1), end) : random.oneOf(pieces)
    changed = changed.slice(0, at) + (random.oneIn(4) ? '' : piece) + changed.slice(random.oneIn(2) ? at : end)
  }
  return changed
}
