import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createSecurity } from '../../lib/app/create-security.js'
import type { AuditRecord, AuditSink, AuditStatus } from '../../lib/audit/audit-record.js'
import type { AuditPage } from '../../lib/audit/search-trail.js'
import { listTrailFiles } from '../../lib/audit/trail-files.js'
import { verifyTrail } from '../../lib/audit/verify-trail.js'
import { ConfigError } from '../../lib/core/errors.js'
import { createTestSecurity } from '../../lib/testing.js'
import { basic, bearer, document, type Front, startFront, users } from '../helpers/front.js'
import { people, startManagedFront } from '../helpers/managed-front.js'
import { recordedLog, secret, secretsIn } from '../helpers/recorded-log.js'
import { oneSetUp } from '../helpers/set-ups.js'
import { newFolder, readRecords } from './open-trail.js'

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const correlated = ['X-Request-Id: req-7', `traceparent: ${traceparent}`]
const json = 'Content-Type: application/json'

interface Audited {
  readonly front: Front
  readonly file: string
  /** Ends the front, and reads the file. */
  records(): Promise<readonly AuditRecord[]>
}

async function startAudited(trail: object = {}, options: { readonly auditTrail?: AuditSink } = {}): Promise<Audited> {
  const file = join(newFolder(), 'audit.log')
  const source = document({ root: { audit_trail: { file, ...trail } } })
  const front = await startFront(oneSetUp, { source, options })
  return { front, file, records: () => recordsOf(front, file) }
}

async function recordsOf(front: Front, file: string): Promise<readonly AuditRecord[]> {
  await front.security.close()
  const files = await listTrailFiles(file)
  expect((await verifyTrail(files)).problems).toEqual([])
  return readRecords(...files)
}

describe('the audit trail of a front', () => {
  it('has who did what, from where, to whom, with the outcome, the rule, and what finds the request elsewhere', async () => {
    const { front, records } = await startAudited()
    const token = await front.login()
    await front.call('GET', '/login', [basic(users.reader.name, 'Wrong-password-1'), ...correlated])
    await front.call('GET', '/sessions', [bearer(await front.login(users.reader)), ...correlated])
    await front.call('GET', '/logout', [bearer(token), ...correlated])
    const all = await records()
    const client = { address: '127.0.0.1', requestId: 'req-7', traceparent }
    expect(all.filter(({ requestId }) => requestId !== undefined)).toEqual([
      expect.objectContaining({
        ...client,
        action: 'loginRefused',
        outcome: 'failure',
        actor: 'reader',
        reason: 'wrong-password',
      }),
      expect.objectContaining({
        ...client,
        action: 'refusal',
        outcome: 'denied',
        actor: 'reader',
        target: { type: 'path', id: '/management/sessions' },
        code: 'ERR_ADMIN_REQUIRED',
        status: 403,
        details: { method: 'GET' },
      }),
      expect.objectContaining({ ...client, action: 'logout', outcome: 'success', actor: 'admin' }),
    ])
    const login = all.find(({ action }) => action === 'login')!
    expect(login).toMatchObject({
      actor: 'admin',
      target: { type: 'session' },
      details: { kind: 'management', factors: ['password'] },
    })
    expect(all.find(({ action }) => action === 'logout')?.target).toEqual(login.target)
  })

  it.each([
    ['X-Request-Id: two words', 'traceparent: 00-00000000000000000000000000000000-b7ad6b7169203331-01'],
    [`X-Request-Id: ${'x'.repeat(129)}`, 'traceparent: ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
    ['X-Request-Id: <b>', 'traceparent: 00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01'],
  ])('leaves out %s and %s', async (...headers) => {
    const { front, records } = await startAudited()
    await front.call('GET', '/apis', headers)
    const [refusal] = (await records()).filter(({ action }) => action === 'refusal')
    expect(refusal).toBeDefined()
    expect(Object.keys(refusal!)).not.toEqual(expect.arrayContaining(['requestId']))
    expect(Object.keys(refusal!)).not.toEqual(expect.arrayContaining(['traceparent']))
  })

  it('takes the id that the app gave the request before that of the header', async () => {
    const file = join(newFolder(), 'audit.log')
    const source = document({ root: { audit_trail: { file } } })
    const prepare: NonNullable<Parameters<typeof startFront>[1]>['prepare'] = (app) =>
      app.use((request, _response, next) => {
        Object.assign(request, { id: 42 })
        next()
      })
    const front = await startFront(oneSetUp, { source, prepare })
    await front.call('GET', '/apis', correlated)
    const records = await recordsOf(front, file)
    expect(records.find(({ action }) => action === 'refusal')?.requestId).toBe('42')
  })

  it('has every act of an administrator', async () => {
    const file = join(newFolder(), 'audit.log')
    const front = await startManagedFront(oneSetUp, { document: { root: { audit_trail: { file } } } })
    const token = bearer(await front.login(people.root))
    const call = async (method: string, path: string, body?: object): Promise<void> => {
      const text = body === undefined ? undefined : JSON.stringify(body)
      const answer = await front.call(method, path, [token, json, ...correlated], text)
      expect([path, answer.status], answer.body).toEqual([path, 200])
    }
    const password = secret('New-password-of-dave')
    await call('POST', '/users', { userId: 'dave', password })
    await call('PATCH', '/users/dave', { newPassword: password, confirmPassword: password })
    await call('POST', '/roles', { role: 'editors' })
    await call('PUT', '/roles', { userId: 'dave', addedRoles: ['editors'], removedRoles: [] })
    await front.login(people.bob)
    await call('DELETE', '/sessions?user=bob')
    await call('DELETE', '/locks?user=bob')
    await call('DELETE', '/locks?address=192.0.2.1')
    await call('DELETE', '/users/dave')
    await call('GET', '/audit?user=dave')
    await front.call('POST', '/reload', [token, json, ...correlated])
    await front.security.reload({ nonsense: 1 }, { by: 'root', reason: 'a try' }).catch(() => undefined)
    await front.security.reload(front.security.config, { by: 'root' })
    const records = (await recordsOf(front, file)).filter(({ actor }) => actor === 'root')
    const acts = records.map(({ action, target }) => `${action} ${target?.type} ${target?.id}`)
    expect(acts).toEqual(
      expect.arrayContaining([
        'userAdded user dave',
        'passwordChanged user dave',
        'roleAdded role editors',
        'rolesChanged user dave',
        'revocation user bob',
        'unlock user bob',
        'unlock address 192.0.2.1',
        'userRemoved user dave',
        'auditRead trail search',
        'reloadRefused configuration object',
        'reload configuration object',
      ]),
    )
    const ofRequests = records.filter(({ action }) => !action.startsWith('reload') && action !== 'login')
    for (const record of ofRequests) {
      expect(record, record.action).toMatchObject({ address: '127.0.0.1', requestId: 'req-7', traceparent })
    }
    expect(records.find(({ action }) => action === 'reloadRefused')).toMatchObject({
      outcome: 'failure',
      reason: 'a try',
    })
  })

  it('has no secret, whatever was sent, and wherever', async () => {
    const { front, file, records } = await startAudited()
    const [password, query, body, header] = ['pass', 'query', 'body', 'header'].map((part) =>
      secret(`Very-secret-${part}-1`),
    )
    const token = await front.login()
    await front.call('GET', '/login', [basic(users.admin.name, password!)])
    await front.call('GET', `/login?password=${query}`, ['Authorization: Basic !!!'])
    await front.call('GET', `/apis?access_token=${query}`, [
      `Authorization: Bearer ${header}`,
      `Cookie: session=${header}`,
    ])
    await front.call(
      'POST',
      `/users?p=${query}`,
      [bearer(token), json],
      JSON.stringify({ userId: 'x', password: body }),
    )
    await front.call('GET', '/apis', [bearer(`${token}x`), `X-Api-Key: ${header}`, `X-Request-Id: ${header}!`])
    await front.call('GET', '/logout', [bearer(token)])
    expect((await records()).length).toBeGreaterThan(6)
    expect(secretsIn(readFileSync(file, 'utf8'))).toEqual([])
  })

  it('cuts what clients make long', async () => {
    const { front, records } = await startAudited()
    await front.call('GET', `/${'x'.repeat(5000)}`, [])
    const [refusal] = (await records()).filter(({ action }) => action === 'refusal')
    expect(refusal!.target!.id).toHaveLength(1024)
  })

  it('is told each record also where the app takes its listeners away', async () => {
    const records: AuditRecord[] = []
    const front = await startFront(oneSetUp, { options: { auditTrail: (record) => void records.push(record) } })
    front.security.events.removeAllListeners()
    await front.login()
    await front.security.close()
    expect(records.map(({ action }) => action)).toEqual(['trailStarted', 'login', 'trailStopped'])
  })

  it('goes to the log where it is enabled without file and function', async () => {
    const front = await startFront(oneSetUp, { source: document({ root: { audit_trail: { enable: true } } }) })
    await front.login()
    await front.security.close()
    const records = front.entries.flatMap(({ fields }) => (fields['audit'] as AuditRecord | undefined) ?? [])
    expect(records.map(({ action }) => action)).toEqual(['trailStarted', 'login', 'trailStopped'])
  })

  it('is not there unless it is asked for', async () => {
    const front = await startFront()
    const token = await front.login()
    expect((await front.call('GET', '/audit/status', [bearer(token)])).json()).toMatchObject({
      state: 'off',
      file: null,
    })
    expect((await front.call('GET', '/audit', [bearer(token)])).status).toBe(404)
  })

  it('is of one front: a second one is refused, with the place in the file, and neither keeps the lock', async () => {
    const { file, front } = await startAudited()
    const toml = join(newFolder(), 'deployment.toml')
    writeFileSync(
      toml,
      `[audit_trail]\nfile = "${file}"\n[[internal_apis.users]]\nuser.name = "a"\nuser.password = "a-password-1"\n`,
    )
    const options = { logger: recordedLog().logger }
    const second = createSecurity(toml, options)
    await expect(second).rejects.toThrow(ConfigError)
    await expect(second).rejects.toThrow(
      /deployment\.toml:2:1 audit_trail\.file: cannot be used: Process \d+ on .* is working on/,
    )
    await front.security.close()
    const third = await createSecurity(toml, options)
    await third.close()
  })

  it('stays with its file at a reload, which says so', async () => {
    const { front, file, records } = await startAudited()
    const other = join(newFolder(), 'other.log')
    await front.security.reload(document({ root: { audit_trail: { file: other } } }))
    expect(front.entries.map(({ message }) => message)).toContain(
      'audit_trail: the change takes effect at the next start',
    )
    expect((await records()).map(({ action }) => action)).toContain('reload')
    expect(await listTrailFiles(other)).toEqual([])
    expect(await listTrailFiles(file)).toHaveLength(1)
  })

  it('is never written by what explains a front, or stands for one in a test', async () => {
    const { front, file, records } = await startAudited()
    await front.security.explain({ method: 'GET', path: '/management/apis', address: '192.0.2.9' } as never, front.app)
    const test = await createTestSecurity(document({ root: { audit_trail: { file: join(newFolder(), 'audit.log') } } }))
    await test.signedIn('alice')
    await test.close()
    const sameFile = await createTestSecurity(document({ root: { audit_trail: { file } } }))
    await sameFile.signedIn('alice')
    await sameFile.close()
    expect((await records()).map(({ action }) => action)).toEqual([
      'trailStarted',
      'checkpoint',
      'trailStopped',
      'checkpoint',
    ])
  })
})

describe('on_audit_failure', () => {
  /** A function that fails until it is told otherwise. */
  function failingSink(): { readonly sink: AuditSink; isAway: boolean } {
    const state = {
      isAway: true,
      sink: () => (state.isAway ? Promise.reject(new Error('the collector is away')) : undefined),
    }
    return state
  }

  it('continues by default: requests are answered, and the log says what fails', async () => {
    const { front } = await startAudited({}, { auditTrail: failingSink().sink })
    const token = await front.login()
    await expect.poll(async () => (await status(front, token)).state).toBe('failing')
    expect((await front.call('GET', '/apis', [bearer(token)])).status).toBe(200)
    expect(front.entries.filter(({ level }) => level === 'error')).toHaveLength(1)
  })

  it('leaves out a record that the function cannot take, says so in the trail, and goes on', async () => {
    const taken: AuditRecord[] = []
    const sink: AuditSink = (record) => {
      if (record.actor?.includes('\u{1F4A5}')) throw new Error('no such character in utf8mb3')
      taken.push(record)
    }
    const { front } = await startAudited({ on_audit_failure: 'deny' }, { auditTrail: sink })
    await front.call('GET', '/login', [basic('a\u{1F4A5}b', 'x')])
    await expect
      .poll(async () => {
        const answer = await front.call('GET', '/login', [basic(users.admin.name, users.admin.password)])
        return answer.status
      })
      .toBe(200)
    await expect
      .poll(() => taken.find(({ action }) => action === 'recordsLost')?.details)
      .toMatchObject({ count: 1, sequence: expect.any(Number) })
  })

  it('denies every request where it is told to, until records can be written again', async () => {
    const collector = failingSink()
    collector.isAway = false
    const { front } = await startAudited({ on_audit_failure: 'deny' }, { auditTrail: collector.sink })
    const token = await front.login()
    collector.isAway = true
    await front.call('GET', '/apis', [])
    const refused = async (path: string, headers: readonly string[]): Promise<unknown> => {
      const answer = await front.call('GET', path, [...headers, 'Accept: application/json'])
      return [answer.status, answer.json()['code'], answer.header('retry-after')]
    }
    const unavailable = [503, 'ERR_AUDIT_UNAVAILABLE', '5']
    await expect.poll(() => refused('/apis', [bearer(token)])).toEqual(unavailable)
    expect(await refused('/login', [basic(users.admin.name, users.admin.password)])).toEqual(unavailable)
    expect(await refused('/sessions', [bearer(token)])).toEqual(unavailable)
    collector.isAway = false
    await expect.poll(async () => (await front.call('GET', '/apis', [bearer(token)])).status).toBe(200)
  })

  async function status(front: Front, token: string): Promise<AuditStatus> {
    return (await front.call('GET', '/audit/status', [bearer(token)])).json<AuditStatus>()
  }
})

describe('the anchor', () => {
  it('is looked for at the start: a folder that is missing is a mistake, with the place in the file', async () => {
    const folder = newFolder()
    const toml = join(folder, 'deployment.toml')
    const trail = '[audit_trail]\nfile = "audit.log"\nanchor_file = "away/anchor"\n'
    writeFileSync(toml, `${trail}[[internal_apis.users]]\nuser.name = "a"\nuser.password = "a-password-1"\n`)
    const options = { logger: recordedLog().logger }
    await expect(createSecurity(toml, options)).rejects.toThrow(
      /deployment\.toml:3:1 audit_trail\.anchor_file: cannot be used: ENOENT/,
    )
    mkdirSync(join(folder, 'away'))
    const security = await createSecurity(toml, options)
    await security.close()
  })

  it('is a warning while it cannot be written, and with "deny" refuses nothing', async () => {
    const anchors = join(newFolder(), 'anchors')
    mkdirSync(anchors)
    const { front } = await startAudited({
      ...{ anchor_file: join(anchors, 'anchor'), checkpoint_interval: '1s', on_audit_failure: 'deny' },
    })
    const token = bearer(await front.login())
    const get = async (path: string): Promise<object> => (await front.call('GET', path, [token])).json()
    rmSync(anchors, { recursive: true })
    await expect
      .poll(() => get('/audit/status'), { timeout: 4000 })
      .toMatchObject({ state: 'degraded', error: expect.stringContaining('ENOENT') })
    expect((await front.call('GET', '/apis', [token])).status).toBe(200)
    expect((await front.call('GET', '/health/ready')).status).toBe(200)
    const detail = expect.stringMatching(/^the anchor cannot be written: ENOENT/)
    expect(await get('/health')).toMatchObject({
      status: 'warn',
      checks: expect.arrayContaining([expect.objectContaining({ name: 'audit trail', status: 'warn', detail })]),
    })
    await front.security.reload(front.security.config)
    expect(front.entries.filter(({ message }) => message.includes('another key'))).toEqual([])
  })
})

describe('GET /audit', () => {
  async function search(front: Front, token: string, query = ''): Promise<AuditPage> {
    const answer = await front.call('GET', `/audit${query}`, [bearer(token)])
    expect(answer.status, answer.body).toBe(200)
    return answer.json<AuditPage>()
  }
  const actions = ({ list }: AuditPage): readonly string[] => list.map(({ action }) => action)

  it('finds records, the newest first', async () => {
    const { front } = await startAudited()
    const token = await front.login()
    await front.call('GET', '/login', [basic(users.reader.name, 'Wrong-password-1')])
    await front.login(users.reader)
    const started = ['checkpoint', 'trailStarted']
    expect(actions(await search(front, token))).toEqual(['auditRead', 'login', 'loginRefused', 'login', ...started])
    expect(await search(front, token, '?limit=2&offset=1')).toMatchObject({ count: 2, total: 6, isComplete: true })
    expect(actions(await search(front, token, '?user=reader'))).toEqual(['login', 'loginRefused'])
    expect(actions(await search(front, token, '?action=login&user=admin'))).toEqual(['login'])
    expect(actions(await search(front, token, '?outcome=failure'))).toEqual(['loginRefused'])
    expect(actions(await search(front, token, '?address=192.0.2.1'))).toEqual([])
    expect(actions(await search(front, token, '?since=2099-01-01'))).toEqual([])
    expect(actions(await search(front, token, '?until=2001-01-01T00:00:00Z'))).toEqual([])
    expect((await search(front, token, '?since=2001-01-01')).total).toBeGreaterThan(6)
  })

  it('is recorded, once for the same search in ten minutes', async () => {
    let now = Date.now()
    const file = join(newFolder(), 'audit.log')
    const source = document({ root: { audit_trail: { file } } })
    const front = await startFront(oneSetUp, { source, options: { clock: () => now } })
    const token = await front.login()
    const reads = async (): Promise<readonly unknown[]> =>
      (await search(front, token, '?action=auditRead')).list.map(({ details }) => details?.['query'])
    const own = ['action=auditRead']
    expect(await reads()).toEqual([own])
    await search(front, token, '?user=reader&limit=5')
    await search(front, token, '?user=reader&offset=5')
    expect(await reads()).toEqual([['user=reader'], own])
    now += 600_000
    expect(await reads()).toEqual([own, ['user=reader'], own])
  })

  it.each(['?outcome=bad', '?since=yesterday', '?until=1', '?limit=0', '?user=a&user=b'])(
    'refuses %s',
    async (query) => {
      const { front } = await startAudited()
      const answer = await front.call('GET', `/audit${query}`, [bearer(await front.login())])
      expect([answer.status, answer.json()['code']]).toEqual([400, 'ERR_REQUEST_INVALID'])
    },
  )

  it.each(['/audit', '/audit/status', '/audit/', '/Audit'])('is for administrators only: %s', async (path) => {
    const { front } = await startAudited()
    expect((await front.call('GET', path)).status).toBe(401)
    expect((await front.call('GET', path, [bearer(await front.login(users.reader))])).status).toBe(403)
    const token = bearer(await front.login())
    expect((await front.call('GET', path, [token])).status).toBe(200)
    for (const method of ['POST', 'DELETE', 'PATCH'])
      expect((await front.call(method, path, [token, json])).status).toBe(405)
    expect((await front.call('GET', '/audit/other', [token])).status).toBe(404)
  })

  it('says how the trail is doing', async () => {
    const { front, file } = await startAudited()
    const token = await front.login()
    await expect
      .poll(async () => (await front.call('GET', '/audit/status', [bearer(token)])).json())
      .toEqual({
        state: 'ok',
        file,
        sequence: 3,
        lastWriteAt: expect.stringMatching(/Z$/),
        lagMs: 0,
        queued: 0,
        lastCheckpoint: { sequence: 1, time: expect.stringMatching(/Z$/) },
        error: null,
      })
  })
})
