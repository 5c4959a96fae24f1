import express from 'express'
import request from 'supertest'
import { beforeEach, describe, expect, it } from 'vitest'
import { type Auth, setAuth } from '../../lib/core/auth.js'
import { ForbiddenError, HttpError, UnavailableError } from '../../lib/core/errors.js'
import { SecurityEvents } from '../../lib/core/events.js'
import { isReported, markReported } from '../../lib/core/reported.js'
import { refuseAtMount } from '../../lib/http/refusals.js'
import { recordedLog } from '../helpers/recorded-log.js'

const cause = new Error('a private reason')
let seen: unknown[]
let events: SecurityEvents

beforeEach(() => {
  seen = []
  events = new SecurityEvents(recordedLog().logger)
  events.on('refusal', (event) => void seen.push(event))
})

/** An app whose mount refuses everything with one error. */
function appThatRefuses(error: HttpError, auth?: Auth): express.Express {
  const app = express()
  const refuse = refuseAtMount(events, () => 42)
  app.use('/management', (incoming, response, next) => {
    if (auth !== undefined) setAuth(incoming, auth)
    refuse(error, incoming, response, next)
  })
  return app
}

describe('a refusal of a mount', () => {
  it('is answered, and reported once without the query and without the reason', async () => {
    const error = new ForbiddenError('ERR_ADMIN_REQUIRED', 'Only administrators may do this.', { cause })
    const app = appThatRefuses(error, { subject: 'alice' } as Auth)
    const answer = await request(app).delete('/management/users/bob?token=secret').set('Accept', 'application/json')
    expect([answer.status, answer.body.code]).toEqual([403, 'ERR_ADMIN_REQUIRED'])
    expect(seen).toEqual([
      {
        at: 42,
        address: expect.stringMatching(/127\.0\.0\.1$/),
        method: 'DELETE',
        path: '/management/users/bob',
        status: 403,
        code: 'ERR_ADMIN_REQUIRED',
        subject: 'alice',
        cause: undefined,
      },
    ])
  })

  it('has its reason in the report when it is a failure of ours, and no subject when nobody is known', async () => {
    const error = new UnavailableError('ERR_STORE_UNAVAILABLE', 'The store cannot be reached.', { cause })
    expect((await request(appThatRefuses(error)).get('/management/apis')).status).toBe(503)
    expect(seen).toEqual([expect.objectContaining({ status: 503, cause, subject: undefined })])
    const bug = new HttpError(500, 'ERR_INTERNAL', 'Something went wrong.', { cause })
    expect((await request(appThatRefuses(bug)).get('/management/apis')).status).toBe(500)
    expect(seen[1]).toMatchObject({ status: 500, cause })
  })

  it('that was reported before is only answered', async () => {
    const error = new ForbiddenError('ERR_ADMIN_REQUIRED', 'Only administrators may do this.')
    expect(isReported(error)).toBe(false)
    expect(markReported(error)).toBe(error)
    expect(isReported(error)).toBe(true)
    expect((await request(appThatRefuses(error)).get('/management/apis')).status).toBe(403)
    expect(seen).toEqual([])
  })

  it('may be given another form', async () => {
    const app = express()
    const refuse = refuseAtMount(events, () => 42, {
      createReference: () => 'a reference',
      answer: (_error, _request, response, reference) => void response.status(418).send(reference),
    })
    app.use((incoming, response, next) =>
      refuse(new ForbiddenError('ERR_PATH_DENIED', 'No.'), incoming, response, next),
    )
    const answer = await request(app).get('/')
    expect([answer.status, answer.text]).toEqual([418, 'a reference'])
    expect(seen).toMatchObject([{ reference: 'a reference' }])
  })
})
