import { Socket } from 'node:net'
import { expect, it, vi } from 'vitest'
import { rememberLast } from '../../../lib/http/express/last-header.js'

it('reads a header once while a connection repeats it, and again after another one or on another connection', () => {
  const read = vi.fn((header: string) => ({ read: header }))
  const readLast = rememberLast(read)
  const [one, two] = [new Socket(), new Socket()]
  for (const [socket, header] of [
    [one, 'a'],
    [one, 'a'],
    [two, 'a'],
    [one, 'b'],
    [one, 'a'],
  ] as const) {
    expect(readLast(socket, header)).toEqual({ read: header })
  }
  expect(read.mock.calls.flat()).toEqual(['a', 'a', 'b', 'a'])
})

it('does not remember what could not be read, nor forget what was read before it', () => {
  const read = vi.fn((header: string) => (header === 'bad' ? undefined : header))
  const readLast = rememberLast(read)
  const socket = new Socket()
  expect(['good', 'bad', 'bad', 'good'].map((header) => readLast(socket, header))).toEqual([
    'good',
    undefined,
    undefined,
    'good',
  ])
  expect(read).toHaveBeenCalledTimes(3)
})

it('does not take what another reader has read', () => {
  const socket = new Socket()
  const [first, second] = [rememberLast(() => 'first'), rememberLast(() => 'second')]
  expect([first, second, first].map((readLast) => readLast(socket, 'a'))).toEqual(['first', 'second', 'first'])
})
