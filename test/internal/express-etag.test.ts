import type { Express } from 'express'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createExpressServer } from '../../lib/create-server.js'
import { expressVersions } from '../helpers/express-versions.js'

type MakeEtag = (body: string | Buffer, encoding?: BufferEncoding) => string

const etagFunction = (app: Express): MakeEtag => app.get('etag fn') as MakeEtag

describe.each(expressVersions)('ETags of a server made for Express %s', (_version, express) => {
  it.each(['weak', 'strong', true] as const)('are those of Express with the setting %s', (setting) => {
    const expected = etagFunction(express().set('etag', setting))
    const app = express().set('etag', setting)
    createExpressServer(app)
    const quick = etagFunction(app)
    expect(quick).not.toBe(expected)
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string()), (text) => {
        expect(quick(text, 'utf8')).toBe(expected(text, 'utf8'))
        expect(quick(text, 'latin1')).toBe(expected(text, 'latin1'))
        expect(quick(Buffer.from(text))).toBe(expected(Buffer.from(text)))
      }),
    )
  })

  it('are still off when the app has switched them off, before or afterwards', () => {
    const before = express().set('etag', false)
    createExpressServer(before)
    expect(etagFunction(before)).toBeUndefined()

    const afterwards = express()
    createExpressServer(afterwards)
    afterwards.set('etag', false)
    expect(etagFunction(afterwards)).toBeUndefined()
  })

  it('are those of Express where the settings cannot be changed', () => {
    const app = express()
    const present = etagFunction(app)
    Object.freeze(app.settings)
    createExpressServer(app)
    expect(etagFunction(app)).toBe(present)
  })

  it('are made by the function of the app where it has one', () => {
    const own = (): string => '"own"'
    const app = express().set('etag', own)
    createExpressServer(app)
    expect(etagFunction(app)).toBe(own)

    const generateETag = (): string => '"own"'
    const past = express().set('etag fn', generateETag)
    createExpressServer(past)
    expect(etagFunction(past)).toBe(generateETag)
  })
})
