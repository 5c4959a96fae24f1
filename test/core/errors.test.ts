import { describe, expect, it } from 'vitest'
import {
  BadRequestError,
  ConfigError,
  ForbiddenError,
  HttpError,
  StoreError,
  TooManyRequestsError,
  UnauthorizedError,
  UnavailableError,
} from '../../lib/core/errors.js'

describe('HttpError', () => {
  it.each([
    [BadRequestError, 'BadRequestError', 400, 'never'],
    [UnauthorizedError, 'UnauthorizedError', 401, 'without-accept'],
    [ForbiddenError, 'ForbiddenError', 403, 'without-accept'],
    [TooManyRequestsError, 'TooManyRequestsError', 429, 'never'],
    [UnavailableError, 'UnavailableError', 503, 'never'],
  ] as const)('%o has its status, and a body as its kind has it', (Class, name, status, bare) => {
    const cause = new Error('the private reason')
    const error = new Class('ERR_INTERNAL', 'A public sentence.', { cause })
    expect(error).toBeInstanceOf(HttpError)
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({
      name,
      status,
      statusCode: status,
      expose: status < 500,
      bare,
      code: 'ERR_INTERNAL',
      message: 'A public sentence.',
      cause,
    })
  })

  it('has no own cause where none was given', () => {
    expect(Object.hasOwn(new HttpError(404, 'ERR_NOT_FOUND', 'Not found.'), 'cause')).toBe(false)
  })

  it('keeps what it is told about the body', () => {
    expect(new ForbiddenError('ERR_IP_NOT_ALLOWED', 'No.', { bare: 'always' }).bare).toBe('always')
    expect(new HttpError(404, 'ERR_NOT_FOUND', 'No.').bare).toBe('never')
  })
})

describe('UnavailableError', () => {
  it('asks clients to come back in 5 seconds, unless it is told otherwise', () => {
    expect(new UnavailableError('ERR_STORE_UNAVAILABLE', 'Later.').headers).toEqual({ 'Retry-After': '5' })
    const headers = { 'Retry-After': '60', 'X-More': 'yes' }
    expect(new UnavailableError('ERR_TOKEN_STORE_FULL', 'Later.', { headers }).headers).toEqual(headers)
  })
})

describe('ConfigError', () => {
  it('lists every problem on a line of its own, with its place and the near-miss', () => {
    const position = { file: 'deployment.toml', line: 3, column: 7 }
    const error = new ConfigError([
      { key: 'a.b', rule: 'must be true or false, got "yes"', position },
      { key: 'a.c', rule: 'is not known', suggestion: 'a.d' },
    ])
    expect(error.message).toBe(
      'deployment.toml:3:7 a.b: must be true or false, got "yes"\na.c: is not known; did you mean a.d?',
    )
    expect(error).toMatchObject({ name: 'ConfigError', code: 'ERR_CONFIG_INVALID' })
    expect(error.problems).toHaveLength(2)
  })

  it('takes another code and a cause', () => {
    const cause = new Error('not installed')
    const error = new ConfigError([{ key: 'k', rule: 'needs bcryptjs' }], { code: 'ERR_CONFIG_MISSING_PACKAGE', cause })
    expect(error).toMatchObject({ code: 'ERR_CONFIG_MISSING_PACKAGE', cause })
  })
})

describe('StoreError', () => {
  it('has one code and keeps the error of the driver', () => {
    const cause = new Error('ECONNREFUSED')
    expect(new StoreError('gone', { cause })).toMatchObject({
      name: 'StoreError',
      code: 'ERR_STORE_UNAVAILABLE',
      cause,
    })
  })
})

it('the message of a ConfigError shows no character of a path that a terminal would obey', () => {
  const position = { file: '/etc/\u001b[2Ja\u202eb\nc/deployment.toml', line: 1, column: 2 }
  const error = new ConfigError([{ key: 'port', rule: 'must be a number', position }])
  expect(error.message).toBe('/etc/\\u001b[2Ja\\u202eb\\u000ac/deployment.toml:1:2 port: must be a number')
})
