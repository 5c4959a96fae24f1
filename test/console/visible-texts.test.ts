import { describe, expect, it } from 'vitest'
import {
  formatDateTime,
  formatMinute,
  formatNumber,
  formatRelative,
  formatTime,
  visible,
} from '../../lib/console/page/format.js'

describe('a text of the page', () => {
  it.each([0xa0, 0x1680, 0x2007, 0x200a, 0x202f, 0x205f, 0x3000, 0x2800, 0xad, 0x200b, 0x2028, 0x202e])(
    'shows U+%x of a name',
    (code) => {
      const shown = `\\u{${code.toString(16).toUpperCase()}}`
      expect(visible(`a${String.fromCodePoint(code)}`)).toBe(`a${shown}`)
    },
  )

  it('has its own blanks as they are', () => {
    const moment = new Date(Date.UTC(2026, 10, 29, 16, 2, 11))
    const texts = [formatDateTime(moment), formatTime(moment), formatMinute(moment), formatNumber(1_234_567)]
    for (const text of [...texts, formatRelative(moment, 0), 'Ada Lovelace']) expect(visible(text)).toBe(text)
  })
})
