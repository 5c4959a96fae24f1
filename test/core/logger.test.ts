import { describe, expect, it, vi } from 'vitest'
import { StoreError } from '../../lib/core/errors.js'
import { defaultLogger, jsonLogger, textLogger } from '../../lib/core/logger.js'

function lineOf(fields: object, message = 'a message'): string {
  const lines: string[] = []
  jsonLogger((line) => void lines.push(line)).warn(fields, message)
  expect(lines).toHaveLength(1)
  return lines[0]!
}

// Covers: K05
describe('jsonLogger', () => {
  it.each(['info', 'warn', 'error'] as const)('writes one JSON line for an entry of level %s', (level) => {
    const lines: string[] = []
    jsonLogger((line) => void lines.push(line))[level]({ key: 'a.key', count: 2 }, 'a message')
    expect(lines).toHaveLength(1)
    expect(lines[0]!.endsWith('\n')).toBe(true)
    expect(JSON.parse(lines[0]!)).toEqual({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      level,
      message: 'a message',
      key: 'a.key',
      count: 2,
    })
  })

  it('writes to stderr by default', () => {
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    try {
      jsonLogger().info({}, 'a message')
      expect(write).toHaveBeenCalledOnce()
      expect(write.mock.calls[0]![0]).toContain('"message":"a message"')
    } finally {
      write.mockRestore()
    }
  })

  it.each([
    ['a line feed', '\n'],
    ['a carriage return', '\r'],
    ['an escape', '\u001b'],
    ['NUL', '\0'],
    ['delete', '\u007f'],
    ['next line', '\u0085'],
    ['a right-to-left override', '\u202e'],
    ['a left-to-right isolate', '\u2066'],
    ['an Arabic letter mark', '\u061c'],
    ['a line separator', '\u2028'],
    ['a paragraph separator', '\u2029'],
    ['a zero-width space', '\u200b'],
    ['a byte order mark', '\ufeff'],
  ])('escapes %s in fields, keys of fields and messages, and keeps it readable', (_what, character) => {
    const text = `a${character}b`
    const line = lineOf({ userName: text, [text]: [{ nested: text }] }, text)
    expect(line.slice(0, -1)).not.toContain(character)
    const entry = JSON.parse(line)
    expect([entry.message, entry.userName, entry[text][0].nested]).toEqual([text, text, text])
  })

  it('leaves other letters as they are', () => {
    expect(lineOf({ userName: 'J\u00f6rg \u5c71 \u{1f600}' })).toContain('J\u00f6rg \u5c71 \u{1f600}')
  })

  it('writes an error with its name, message, code and cause, and without its stack', () => {
    const cause = Object.assign(new Error('connect ECONNREFUSED'), {
      code: 'ECONNREFUSED',
      password: 'never-to-be-seen',
    })
    const line = lineOf({ cause: new StoreError('the directory is gone', { cause }) })
    expect(JSON.parse(line).cause).toEqual({
      name: 'StoreError',
      message: 'the directory is gone',
      code: 'ERR_STORE_UNAVAILABLE',
      cause: { name: 'Error', message: 'connect ECONNREFUSED', code: 'ECONNREFUSED' },
    })
    expect(line).not.toContain('never-to-be-seen')
    expect(line).not.toContain('.ts:')
  })

  it('lets no field take the place of time, level and message', () => {
    const entry = JSON.parse(lineOf({ time: 'never', level: 'info', message: 'another' }))
    expect(entry).toMatchObject({ level: 'warn', message: 'a message' })
    expect(entry.time).not.toBe('never')
  })

  const circular: { self?: unknown } = {}
  circular.self = circular
  it.each([
    ['an object that holds itself', circular],
    ['a bigint', 10n],
    [
      'an object whose toJSON throws',
      {
        toJSON: () => {
          throw new Error('no')
        },
      },
    ],
  ])('never throws: it writes a line for %s too', (_what, value) => {
    expect(lineOf({ cause: value })).toContain('a message')
  })
})

describe('textLogger', () => {
  const textOf = (fields: object, message = 'a message'): string => {
    const lines: string[] = []
    textLogger((line) => void lines.push(line)).warn(fields, message)
    return lines.join('')
  }

  it('writes the level, the message and the fields', () => {
    expect(textOf({ event: 'refusal', status: 403, path: '/a b', subject: undefined })).toBe(
      'warn: a message status=403 path="/a b"\n',
    )
  })

  it('writes the place in the file last, and no key that the message begins with', () => {
    const position = { file: 'deployment.toml', line: 3, column: 1 }
    expect(textOf({ key: 'a.key', position }, 'a.key: is wrong')).toBe('warn: a.key: is wrong (deployment.toml:3:1)\n')
    expect(textOf({ key: 'a.key' }, 'is wrong')).toBe('warn: is wrong key=a.key\n')
  })

  it.each(['\n', '\r', '\u001b[2J', '\u009b', '\u202e', '\u2028'])(
    'lets nothing reach a terminal that it may obey: %j',
    (text) => {
      const position = { file: `a${text}b`, line: 1, column: 1 }
      const line = textOf({ name: `a${text}b`, position, cause: new StoreError(text) }, `a${text}b`)
      expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\u202e\u2028]/u)
      expect(line.endsWith('\n')).toBe(true)
    },
  )

  it('writes what it can of fields that JSON cannot hold', () => {
    const circle: Record<string, unknown> = {}
    circle['circle'] = circle
    expect(textOf(circle)).toContain('a message')
  })
})

describe('defaultLogger', () => {
  it.each([
    [true, 'warn: a message a=1\n'],
    [false, expect.stringContaining('"message":"a message"')],
  ])('on a terminal: %s', (isTTY, expected) => {
    const before = process.stderr.isTTY
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    try {
      process.stderr.isTTY = isTTY
      defaultLogger().warn({ a: 1 }, 'a message')
      expect(write.mock.calls[0]![0]).toEqual(expected)
    } finally {
      process.stderr.isTTY = before
      write.mockRestore()
    }
  })
})
