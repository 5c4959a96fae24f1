import { describe, expect, it } from 'vitest'
import { type SecurityEventMap, SecurityEvents } from '../../lib/core/events.js'
import { recordedLog } from '../helpers/recorded-log.js'

const login: SecurityEventMap['login'] = {
  at: 1_000,
  address: '192.0.2.1',
  subject: 'alice',
  tokenId: 'id-of-a-token',
  kind: 'management',
}
const refusal: SecurityEventMap['refusal'] = {
  at: 1_000,
  address: '192.0.2.1',
  method: 'GET',
  path: '/management/apis',
  status: 401,
  code: 'ERR_AUTH_REQUIRED',
  subject: undefined,
  cause: undefined,
}

describe('SecurityEvents', () => {
  it('gives every listener the event as it was reported, and writes one line', () => {
    const log = recordedLog()
    const events = new SecurityEvents(log.logger)
    const seen: unknown[] = []
    events.on('login', (event) => void seen.push(event))
    events.on('login', (event) => void seen.push(event))
    events.on('logout', (event) => void seen.push(event))
    events.report('login', login)
    expect(seen).toEqual([login, login])
    expect(log.entries).toHaveLength(1)
    expect(JSON.parse(log.lines[0]!)).toMatchObject({
      level: 'info',
      event: 'login',
      subject: 'alice',
      message: 'logged in',
    })
  })

  it('calls a listener of once one time', () => {
    const events = new SecurityEvents(recordedLog().logger)
    const seen: unknown[] = []
    events.once('login', (event) => void seen.push(event))
    events.report('login', login)
    events.report('login', login)
    expect(seen).toEqual([login])
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('no')
      },
    ],
    ['rejects', () => Promise.reject(new Error('no'))],
  ])('goes on with the next listener after one that %s, and logs it', async (_what, failing) => {
    const log = recordedLog()
    const events = new SecurityEvents(log.logger)
    const seen: unknown[] = []
    events.on('login', failing)
    events.on('login', (event) => void seen.push(event))
    events.report('login', login)
    await Promise.resolve()
    await Promise.resolve()
    expect(seen).toEqual([login])
    expect(log.entries.map(({ level, message }) => [level, message])).toEqual([
      ['info', 'logged in'],
      ['error', 'a listener of security.events failed'],
    ])
  })

  it('calls the listeners after a recorder that throws, and logs it', async () => {
    const log = recordedLog()
    const events = new SecurityEvents(log.logger)
    events.recordWith(() => {
      throw new Error('no')
    })
    const seen: unknown[] = []
    events.on('login', (event) => void seen.push(event))
    events.report('login', login)
    await Promise.resolve()
    expect(seen).toEqual([login])
    expect(log.entries.map(({ message }) => message)).toEqual(['logged in', 'an event could not be recorded'])
  })

  it.each([
    [401, 'warn'],
    [403, 'warn'],
    [500, 'error'],
    [503, 'error'],
  ])('logs a refusal with %i at level %s', (status, level) => {
    const log = recordedLog()
    new SecurityEvents(log.logger).report('refusal', { ...refusal, status })
    expect(log.entries.map((entry) => entry.level)).toEqual([level])
  })

  it('needs no listener', () => {
    const log = recordedLog()
    new SecurityEvents(log.logger).report('eviction', { at: 1, subject: 'alice', tokenId: 'id', kind: 'management' })
    expect(log.entries.map(({ message }) => message)).toEqual(['token evicted to make room'])
  })
})
