/**
 * Regular expressions that were written for Java.
 *
 * @module
 */

/** What `\s` is in Java: ASCII alone. */
const javaBlanks = ' \\t\\n\\x0B\\f\\r'

/** What JavaScript counts as blank beside it. */
const otherBlanks = '\\u00A0\\u1680\\u2000-\\u200A\\u2028\\u2029\\u202F\\u205F\\u3000\\uFEFF'

/**
 * Makes a test for whole texts, as Java's `matches` does.
 *
 * @throws SyntaxError for what JavaScript has no counterpart of.
 */
export function javaRegex(pattern: string): (text: string) => boolean {
  const source = `^(?:${withJavaBlanks(pattern)})$`
  const expression = compile(source)
  return (text) => expression.test(text)
}

/** By code points where the pattern allows it; Java is more liberal with escapes than the `u` flag. */
function compile(source: string): RegExp {
  try {
    return new RegExp(source, 'u')
  } catch {
    return new RegExp(source)
  }
}

/** `\s` and `\S` mean fewer characters in Java; inside of brackets they are written without brackets. */
function withJavaBlanks(pattern: string): string {
  let depth = 0
  return pattern.replace(/\\[\s\S]|[[\]]/g, (token) => {
    if (token === '[') depth = 1
    else if (token === ']') depth = 0
    if (token === '\\s') return depth > 0 ? javaBlanks : `[${javaBlanks}]`
    if (token === '\\S') return depth > 0 ? `\\S${otherBlanks}` : `[\\S${otherBlanks}]`
    return token
  })
}
