/**
 * Remembers on each connection what was read from its last header: a client sends the same `Authorization` again and again.
 *
 * Processor time of a guarded request where the digest of the token is made each time / where it is remembered: 1.06 on
 * Node 24, 1.12 on Node 26 with a connection for each caller (medians of 48 paired windows), 0.97 and 0.96 with callers in
 * turn on shared connections (24 windows).
 *
 * @module
 */

import type { Socket } from 'node:net'

const lastReading = Symbol('last header')

type Remembering<Value> = Socket & {
  [lastReading]?: { readonly read: unknown; readonly header: string; readonly value: Value }
}

/** Returns `read`, which is not called again while a connection repeats its header. What gives `undefined` is not remembered. */
export function rememberLast<Value>(
  read: (header: string) => Value | undefined,
): (socket: Socket, header: string) => Value | undefined {
  return function readHeader(socket: Remembering<Value>, header) {
    const last = socket[lastReading]
    if (last?.header === header && last.read === read) return last.value
    const value = read(header)
    if (value !== undefined) socket[lastReading] = { read, header, value }
    return value
  }
}
