import type express5 from 'express'
import { describe, expect, it } from 'vitest'
import { bearer } from '../helpers/front.js'
import { type ManagedFront, people, startManagedFront } from '../helpers/managed-front.js'
import { requestBytes } from '../helpers/raw-http.js'
import { oneSetUp, serverSetUps } from '../helpers/set-ups.js'

const alice = '{"userId":"alice","password":"Alice-password"}'

/** Posts a user with these headers and this body; the status, the code, and whether there is a user. */
async function post(
  front: ManagedFront,
  headers: readonly string[],
  body: string,
): Promise<[number, unknown, boolean]> {
  const token = await front.login(people.root)
  const answer = await front.call('POST', '/users', [bearer(token), ...headers], body)
  return [answer.status, answer.json()['code'], (await front.store.find('alice')) !== undefined]
}

const json = 'Content-Type: application/json'

describe('a body', () => {
  it.each([
    [json],
    ['Content-Type: application/json; charset=utf-8'],
    ['content-type: Application/JSON;charset="UTF-8"'],
  ])('with %j is read', async (type) => {
    expect(await post(await startManagedFront(), [type], alice)).toEqual([200, undefined, true])
  })

  it.each([
    ['text/plain'],
    ['application/x-www-form-urlencoded'],
    ['multipart/form-data; boundary=x'],
    ['application/json; charset=utf-16'],
    ['application/jsonp'],
    ['text/plain, application/json'],
    ['application/problem+json'],
  ])('of type %s is refused with 415, whatever is in it', async (type) => {
    const expected = [415, 'ERR_MEDIA_TYPE_UNSUPPORTED', false]
    expect(await post(await startManagedFront(), [`Content-Type: ${type}`], alice)).toEqual(expected)
  })

  it('without a type, or compressed, is refused with 415', async () => {
    const front = await startManagedFront()
    expect(await post(front, [], alice)).toEqual([415, 'ERR_MEDIA_TYPE_UNSUPPORTED', false])
    expect(await post(front, [json, 'Content-Encoding: gzip'], alice)).toEqual([
      415,
      'ERR_MEDIA_TYPE_UNSUPPORTED',
      false,
    ])
  })

  it.each([
    ['nothing', ''],
    ['text', 'alice'],
    ['half of an object', alice.slice(0, -1)],
    ['a list', `[${alice}]`],
    ['a text in quotes', '"alice"'],
    ['null', 'null'],
    ['two objects', `${alice}${alice}`],
    ['a byte order mark', `\ufeff${alice}`],
    ['a name twice', '{"userId":"alice","userId":"bob","password":"Alice-password"}'],
    ['members of a prototype', '{"__proto__":{"userId":"alice","password":"Alice-password"}}'],
    ['deep nesting', '['.repeat(30_000)],
  ])('that is %s is refused with 400, not with 200 and not with silence', async (_what, body) => {
    expect(await post(await startManagedFront(), [json], body)).toEqual([400, 'ERR_REQUEST_INVALID', false])
  })

  it('of more than 64 KiB is refused with 413, announced or not', async () => {
    const front = await startManagedFront()
    const large = JSON.stringify({ userId: 'alice', password: 'Alice-password', more: 'x'.repeat(70_000) })
    expect(await post(front, [json], large)).toEqual([413, 'ERR_BODY_TOO_LARGE', false])
    const token = await front.login(people.root)
    const chunk = `${large.length.toString(16)}\r\n${large}\r\n0\r\n\r\n`
    const head = requestBytes('POST', '/management/users', [bearer(token), json, 'Transfer-Encoding: chunked'])
    expect((await front.send(`${head}${chunk}`)).status).toBe(413)
  })

  it('of 64 KiB is read, in chunks as well', async () => {
    const front = await startManagedFront()
    const token = await front.login(people.root)
    const filler = 64 * 1024 - alice.length - ',"more":""'.length
    const full = `${alice.slice(0, -1)},"more":"${'x'.repeat(filler)}"}`
    expect(full.length).toBe(64 * 1024)
    const head = requestBytes('POST', '/management/users', [bearer(token), json, 'Transfer-Encoding: chunked'])
    const chunks = [full.slice(0, 20), full.slice(20)].map((part) => `${part.length.toString(16)}\r\n${part}\r\n`)
    expect((await front.send(`${head}${chunks.join('')}0\r\n\r\n`)).status).toBe(200)
  })

  it.each([
    ['DELETE', '/users/bob', ['Content-Type: text/plain']],
    ['DELETE', '/roles/viewers', ['Content-Length: 0']],
  ])('is not needed for %s %s', async (method, path, headers) => {
    const front = await startManagedFront()
    const token = await front.login(people.root)
    expect((await front.call(method, path, [bearer(token), ...headers])).status).toBe(200)
  })

  it('of a DELETE is JSON', async () => {
    const front = await startManagedFront()
    const token = await front.login(people.root)
    expect((await front.call('DELETE', '/users/bob', [bearer(token), 'Content-Type: text/plain'], 'x')).status).toBe(
      415,
    )
  })
})

describe.each(serverSetUps)('on $name, with a body parser before the front', (setUp) => {
  it.each(['json', 'text', 'raw'] as const)('express.%s', async (parser) => {
    const front = await startManagedFront(setUp, {
      prepare: (app) => app.use((setUp.express as typeof express5)[parser]({ type: 'application/json' })),
    })
    expect(await post(front, [json], alice)).toEqual([200, undefined, true])
    expect(await post(front, [json], '')).toEqual([400, 'ERR_REQUEST_INVALID', true])
  })

  it('express.urlencoded, which leaves it alone', async () => {
    const front = await startManagedFront(setUp, { prepare: (app) => app.use(setUp.express.urlencoded()) })
    expect(await post(front, [json], alice)).toEqual([200, undefined, true])
  })

  it('one that reads it and keeps nothing', async () => {
    const front = await startManagedFront(setUp, {
      prepare: (app) => app.use((request, _response, next) => void request.resume().on('end', next)),
    })
    expect(await post(front, [json], alice)).toEqual([400, 'ERR_REQUEST_INVALID', false])
  })
})

it('a client that goes while it sends its body ends nothing but its own request', async () => {
  const front = await startManagedFront(oneSetUp)
  const token = await front.login(people.root)
  const head = requestBytes('POST', '/management/users', [bearer(token), json, 'Content-Length: 500'])
  const { connect } = await import('node:net')
  await new Promise<void>((resolve) => {
    const socket = connect(front.port, '127.0.0.1', () => socket.write(head, () => socket.destroy()))
    socket.on('close', () => resolve())
  })
  expect((await front.call('GET', '/users', [bearer(token)])).status).toBe(200)
})
