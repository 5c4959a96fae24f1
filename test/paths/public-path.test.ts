import type { Request } from 'express'
import { expect, it } from 'vitest'
import { type AllowAnonymous, anonymousVerdict } from '../../lib/paths/public-path.js'

function verdictOf(isPublic: AllowAnonymous | undefined) {
  const path = '/health'
  return anonymousVerdict({ method: 'GET', path, url: path, originalUrl: path, headers: {} } as Request, isPublic)
}

it('a request for a public path passes, any other has to be authenticated', () => {
  const asked: string[][] = []
  const isPublic: AllowAnonymous = (...question) => {
    asked.push(question)
    return true
  }
  expect(verdictOf(isPublic)).toBe('pass')
  expect(asked).toEqual([['GET', '/health']])
  expect(verdictOf(() => false)).toBeUndefined()
  expect(verdictOf(undefined)).toBeUndefined()
})

it('a path that is public in one reading only is refused', () => {
  expect(verdictOf(() => 'ambiguous')).toMatchObject({
    status: 400,
    code: 'ERR_PATH_AMBIGUOUS',
    message: 'The path can be read in more than one way, or in none.',
  })
})
