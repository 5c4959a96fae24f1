import { describe, expect, it } from 'vitest'
import { utf8Type } from '../../lib/http/body.js'

const json = utf8Type('application/json')

describe('utf8Type', () => {
  it.each([
    'application/json',
    'APPLICATION/JSON',
    'application/json;',
    'application/json ; ',
    'application/json;charset=utf-8',
    'application/json; charset=UTF-8',
    'application/json ;\tcharset = "utf-8" ; ',
  ])('takes %j', (header) => {
    expect(json.test(header)).toBe(true)
  })

  it.each([
    '',
    'application/jsonx',
    'xapplication/json',
    'application/json x',
    'application/json charset=utf-8',
    'application/json;;',
    'application/json; charset=utf-16',
    'application/json; charset=utf-8; charset=utf-16',
    'application/json; profile=x',
    'application/json, text/plain',
  ])('takes no %j', (header) => {
    expect(json.test(header)).toBe(false)
  })

  // Steps by the square of the length would take minutes here.
  it.each(['', ';', '; charset=utf-8', '; charset'])('is not slowed down by blanks behind %j', (start) => {
    expect(json.test(`application/json${start}${' '.repeat(400_000)}x`)).toBe(false)
  })
})
