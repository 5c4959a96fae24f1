import fc from 'fast-check'
import { parse } from 'smol-toml'
import { describe, expect, it } from 'vitest'
import { editToml, type TomlEdit } from '../../../lib/config/values/toml-edits.js'

const set = (path: TomlEdit['path'], value: string | boolean | readonly string[]): TomlEdit => ({
  kind: 'set',
  path,
  value,
})

describe('setting a value', () => {
  it.each<[string, string, TomlEdit, string]>([
    ['in place', '[a]\nb = false # c\n', set(['a', 'b'], true), '[a]\nb = true # c\n'],
    ['of a dotted key', "a.'b c' . d='x'", set(['a', 'b c', 'd'], 'y'), 'a.\'b c\' . d="y"'],
    ['of an inline table', 'a = { b = 1, c = "x" }', set(['a', 'c'], 'y'), 'a = { b = 1, c = "y" }'],
    [
      'in an entry of a list',
      '[[a]]\nb = 1\n[[a]]\nb = 2\n',
      set(['a', 1, 'b'], true),
      '[[a]]\nb = 1\n[[a]]\nb = true\n',
    ],
    ['over several lines', 'a = [\n "x", # one\n]\nb = 1', set(['a'], ['y', 'z']), 'a = ["y", "z"]\nb = 1'],
    [
      'beside its neighbour',
      '[a]\n  b = 1 # c\n\n[d]\n',
      set(['a', 'e'], true),
      '[a]\n  b = 1 # c\n  e = true\n\n[d]\n',
    ],
    ['beside a dotted neighbour', '[a]\nb.c = 1\n', set(['a', 'b', 'd'], true), '[a]\nb.c = 1\nb.d = true\n'],
    ['beside an inline neighbour', 'a = { b = 1 }', set(['a', 'c'], true), 'a = { c = true, b = 1 }'],
    ['below an empty header', '[a] # c\n[b]\n', set(['a', 'c'], true), '[a] # c\nc = true\n[b]\n'],
    ['at the end of a file without a line end', '[a]\nb = 1', set(['a', 'c'], true), '[a]\nb = 1\nc = true'],
    ['with the line ends of the file', '[a]\r\nb = 1\r\n', set(['a', 'c'], true), '[a]\r\nb = 1\r\nc = true\r\n'],
  ])('writes it %s', (_, text, edit, expected) => {
    expect(editToml(text, edit)).toBe(expected)
  })

  it('has no place for a key of a table that is not there', () => {
    expect(editToml('[a]\nb = 1\n', set(['c', 'd'], true))).toBeUndefined()
  })

  it('writes any text so that it is read as it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        fc.pre(!/\p{Cs}/u.test(value))
        expect(parse(editToml('a = 1 # b\n', set(['a'], value))!)).toEqual({ a: value })
      }),
    )
  })
})

describe('renaming', () => {
  const rename = (path: TomlEdit['path'], name: string): TomlEdit => ({ kind: 'rename', path, name })

  it.each<[string, string, TomlEdit, string]>([
    ['a key', '[a]\n"b" = 1 # b\n', rename(['a', 'b'], 'c'), '[a]\nc = 1 # b\n'],
    [
      'a table with those below',
      '[a.x]\nb = 1\n[a . y]\n[[a.z]]\n',
      rename(['a'], 'd e'),
      "['d e'.x]\nb = 1\n['d e' . y]\n[['d e'.z]]\n",
    ],
    ['a key of one entry', '[[a]]\nb = 1\n[[a]]\nb = 2\n', rename(['a', 1, 'b'], 'c'), '[[a]]\nb = 1\n[[a]]\nc = 2\n'],
    ['a table in an entry', '[[a]]\n[a.b]\nc = 1\n', rename(['a', 0, 'b'], 'd'), '[[a]]\n[a.d]\nc = 1\n'],
    ['a part of a dotted key', 'a.b.c = 1', rename(['a', 'b'], 'd'), 'a.d.c = 1'],
    ['a key of an inline table', 'a = { b = 1 }', rename(['a', 'b'], 'c'), 'a = { c = 1 }'],
  ])('changes %s', (_, text, edit, expected) => {
    expect(editToml(text, edit)).toBe(expected)
  })
})

describe('appending an entry', () => {
  const append: TomlEdit = { kind: 'append', path: ['a', 'b'], entry: { path: '/users' } }

  it('writes it after the last one and what is below it', () => {
    const text = '[[a.b]]\npath = "/x"\n\n  [[ a.b ]]\n  path = "/y" # y\n  [a.b.c]\n  d = 1\n\n[e]\n'
    expect(editToml(text, append)).toBe(text.replace('  d = 1\n', '  d = 1\n\n  [[ a.b ]]\n  path = "/users"\n'))
  })

  it('has no place where the list is written otherwise', () => {
    expect(editToml('[a]\nb = [{ path = "/x" }]\n', append)).toBeUndefined()
  })
})
