import http, { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { presetHeaders } from '../../lib/internal/preset-headers.js'
import { exchange, listen, requestBytes } from '../helpers/raw-exchange.js'

const headers = { 'X-One': '1', 'Cache-Control': 'no-store' }

function emptyResponse(): ServerResponse {
  const response = new ServerResponse(new IncomingMessage(new Socket()))
  response.sendDate = false
  return response
}

/** All that can be read of the headers, and what would be sent. */
function headersOf(response: ServerResponse): unknown {
  const read = [response.getHeaderNames(), response.getHeaders()]
  response.writeHead(200)
  return [...read, Reflect.get(response, '_header')]
}

const setOneByOne = (response: ServerResponse): void => {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
}

describe('preset headers', () => {
  const setHeaders = presetHeaders(headers)

  it('are the same as those that setHeader sets, whatever was set before and is done afterwards', () => {
    const name = fc.constantFrom('x-one', 'X-One', 'CACHE-CONTROL', 'cache-control', 'Vary', 'constructor', '__proto__')
    const step = fc.record({
      name,
      value: fc.constantFrom('a', 'b', 'list'),
      what: fc.constantFrom('setHeader', 'appendHeader', 'removeHeader', 'hasHeader'),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 5 }), fc.array(step, { maxLength: 5 }), (before, afterwards) => {
        const outcomes = [setHeaders, setOneByOne].map((set) => {
          const response = emptyResponse()
          const apply = ({ name, value: text, what }: (typeof before)[number]): unknown => {
            // A new list each time: appendHeader adds to the one that was set.
            const value = text === 'list' ? ['c', 'd'] : text
            if (what === 'setHeader') response.setHeader(name, value)
            else if (what === 'appendHeader') response.appendHeader(name, value)
            else if (what === 'removeHeader') response.removeHeader(name)
            else return response.hasHeader(name)
            return response.getHeader(name)
          }
          return [before.map(apply), set(response), afterwards.map(apply), headersOf(response)]
        })
        expect(outcomes[0]).toEqual(outcomes[1])
      }),
    )
  })

  it('are set in the quick way on this version of Node', () => {
    expect(setHeaders.name).toBe('setHeaders')
  })

  it('of one response do not change with those of another', () => {
    const first = emptyResponse()
    setHeaders(first)
    first.appendHeader('Cache-Control', 'private')
    const second = emptyResponse()
    setHeaders(second)
    expect(second.getHeader('Cache-Control')).toBe('no-store')
  })

  it('are seen by whoever has replaced setHeader', () => {
    const response = emptyResponse()
    const seen: string[] = []
    response.setHeader = function setHeader(this: ServerResponse, name: string, value: string) {
      seen.push(name)
      return ServerResponse.prototype.setHeader.call(this, name, value)
    } as typeof response.setHeader
    setHeaders(response)
    expect(seen).toEqual(['X-One', 'Cache-Control'])
  })

  it('are on the answer also when they are set on an object that inherits from it', () => {
    const response = emptyResponse()
    response.setHeader('X-Powered-By', 'Express')
    setHeaders(Object.create(response))
    expect(response.getHeader('Cache-Control')).toBe('no-store')
  })

  it('are seen by whoever has replaced setHeader of all responses before this was loaded', async () => {
    const seen: string[] = []
    const { setHeader } = ServerResponse.prototype
    ServerResponse.prototype.setHeader = function spy(this: ServerResponse, name: string, value: string) {
      seen.push(name)
      return setHeader.call(this, name, value)
    } as typeof setHeader
    onTestFinished(() => {
      ServerResponse.prototype.setHeader = setHeader
    })
    vi.resetModules()
    const again = await import('../../lib/internal/preset-headers.js')
    const set = again.presetHeaders({ 'X-Late': '1' })
    seen.length = 0
    set(emptyResponse())
    expect(seen).toEqual(['X-Late'])
  })

  it('are refused as setHeader refuses them, once the answer has begun', () => {
    const response = emptyResponse()
    response.writeHead(200)
    expect(() => setHeaders(response)).toThrow(expect.objectContaining({ code: 'ERR_HTTP_HEADERS_SENT' }))
  })

  it('are refused at the start when they cannot be sent', () => {
    expect(() => presetHeaders({ 'X Y': '1' })).toThrow(expect.objectContaining({ code: 'ERR_INVALID_HTTP_TOKEN' }))
    expect(() => presetHeaders({ X: '1\r\nY: 2' })).toThrow(expect.objectContaining({ code: 'ERR_INVALID_CHAR' }))
  })

  it('reach the client', async () => {
    const server = http.createServer((_request, response) => {
      setHeaders(response)
      response.end()
    })
    await listen(server)
    const answer = await exchange(server, requestBytes('GET /'))
    server.close()
    expect(answer).toContain('\r\nX-One: 1\r\nCache-Control: no-store\r\n')
  })
})
