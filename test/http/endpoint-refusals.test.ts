import type { Request, Response } from 'express'
import { describe, expect, it } from 'vitest'
import { methodNotAllowed, noTrace, notFound } from '../../lib/http/endpoint.js'
import { severalCredentials } from '../../lib/http/refusals.js'

const answerTo = (method: string) => noTrace({ method } as Request, {} as Response)

describe('noTrace', () => {
  it('refuses TRACE, and names what is left', () => {
    const allowed = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'
    expect(answerTo('TRACE')).toMatchObject({
      status: 405,
      code: 'ERR_METHOD_NOT_ALLOWED',
      message: `Use one of these methods: ${allowed}.`,
      headers: { Allow: allowed },
    })
  })

  it.each(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'trace', 'PROPFIND'])(
    'lets %s go by',
    (method) => {
      expect(answerTo(method)).toBeUndefined()
    },
  )
})

it('every refusal has a text for people', () => {
  expect(methodNotAllowed('GET')).toMatchObject({ message: 'Use one of these methods: GET.' })
  expect(notFound({} as Request, {} as Response)).toMatchObject({ message: 'Not found.' })
  expect(severalCredentials('Bearer realm="x"')).toMatchObject({
    status: 400,
    code: 'ERR_AUTH_SEVERAL_CREDENTIALS',
    message: 'Send exactly one credential, in one Authorization header.',
    headers: { 'WWW-Authenticate': 'Bearer realm="x"' },
  })
})
