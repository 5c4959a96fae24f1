/** What is done by a call of the app is in the trail, as what is done over HTTP. */

import { describe, expect, it, vi } from 'vitest'
import { unlockUser } from '../../lib/app/second-factor.js'
import type { AuditRecord } from '../../lib/audit/audit-record.js'
import { StoreError } from '../../lib/core/errors.js'
import type { ChangeContext } from '../../lib/core/events.js'
import { isManagedUserStore, type ManagedUserStore, type Security, type SecurityOptions } from '../../lib/index.js'
import { MemoryTokenStore } from '../../lib/tokens/memory/memory-token-store.js'
import { bearer } from '../helpers/front.js'
import { type ManagedFront, people, startManagedFront } from '../helpers/managed-front.js'
import { secret } from '../helpers/recorded-log.js'
import { startSecondFactors } from '../helpers/second-factor-front.js'
import { oneSetUp } from '../helpers/set-ups.js'

const context = { by: 'a nightly job', reason: 'has left', address: '192.0.2.9', requestId: 'req-9' }
const password = secret('New-password-of-dave')
const none: readonly string[] = []

interface Audited {
  readonly front: ManagedFront
  readonly records: AuditRecord[]
  readonly users: ManagedUserStore
}

async function startAudited(options: Omit<SecurityOptions, 'logger'> = {}): Promise<Audited> {
  const records: AuditRecord[] = []
  const auditTrail = (record: AuditRecord): void => void records.push(record)
  const front = await startManagedFront(oneSetUp, { options: { ...options, auditTrail } })
  return { front, records, users: managedUsers(front.security) }
}

function managedUsers({ users }: Security): ManagedUserStore {
  if (!isManagedUserStore(users)) throw new Error('the users cannot be managed')
  return users
}

interface Change {
  /** The records that it leaves, and what they are about. */
  readonly leaves: readonly string[]
  call(users: ManagedUserStore, context?: ChangeContext): Promise<void>
  readonly http: readonly [method: string, path: string, body?: object]
}

const changes: Readonly<Record<string, Change>> = {
  add: {
    leaves: ['userAdded user dave', 'revocation user dave'],
    call: (users, by) => users.add({ name: 'dave', password, isAdmin: false }, undefined, by),
    http: ['POST', '/users', { userId: 'dave', password }],
  },
  remove: {
    leaves: ['userRemoved user bob', 'revocation user bob'],
    call: (users, by) => users.remove('bob', undefined, by),
    http: ['DELETE', '/users/bob'],
  },
  setPassword: {
    leaves: ['passwordChanged user bob', 'revocation user bob'],
    call: (users, by) => users.setPassword('bob', password, undefined, by),
    http: ['PATCH', '/users/bob', { newPassword: password, confirmPassword: password }],
  },
  'setDisabled, true': {
    leaves: ['userDisabled user bob', 'revocation user bob'],
    call: (users, by) => users.setDisabled!('bob', true, undefined, by),
    http: ['PATCH', '/users/bob', { disabled: true }],
  },
  'setDisabled, false': {
    leaves: ['userEnabled user bob'],
    call: (users, by) => users.setDisabled!('bob', false, undefined, by),
    http: ['PATCH', '/users/bob', { disabled: false }],
  },
  changeRoles: {
    leaves: ['rolesChanged user bob'],
    call: (users, by) => users.changeRoles('bob', { added: ['viewers'], removed: none }, undefined, by),
    http: ['PUT', '/roles', { userId: 'bob', addedRoles: ['viewers'], removedRoles: [] }],
  },
  'changeRoles of an administrator': {
    leaves: ['rolesChanged user second', 'revocation user second'],
    call: (users, by) => users.changeRoles('second', { added: none, removed: ['admin'] }, undefined, by),
    http: ['PUT', '/roles', { userId: 'second', addedRoles: [], removedRoles: ['admin'] }],
  },
  addRole: {
    leaves: ['roleAdded role editors'],
    call: (users, by) => users.addRole('editors', undefined, by),
    http: ['POST', '/roles', { role: 'editors' }],
  },
  removeRole: {
    leaves: ['roleRemoved role viewers'],
    call: (users, by) => users.removeRole('viewers', undefined, by),
    http: ['DELETE', '/roles/viewers'],
  },
}

const told = ({ action, target }: AuditRecord): string => `${action} ${target?.type} ${target?.id}`

describe.each(Object.entries(changes))('security.users: %s', (_name, { leaves, call, http }) => {
  it('leaves its records, with who did it and why', async () => {
    const { records, users } = await startAudited()
    await call(users, context)
    await expect.poll(() => records.slice(1).map(told)).toEqual(leaves)
    for (const record of records.slice(1)) {
      const { by: actor, reason, address, requestId } = context
      expect(record, record.action).toMatchObject({ actor, reason, address, requestId, outcome: 'success' })
    }
  })

  it('leaves them also where nobody is named', async () => {
    const { records, users } = await startAudited()
    await call(users)
    await expect.poll(() => records.slice(1).map(told)).toEqual(leaves)
    expect(records.slice(1).map(({ actor }) => actor)).toEqual(leaves.map(() => null))
  })

  it('leaves them once over HTTP', async () => {
    const { front, records } = await startAudited()
    const token = await front.login(people.root)
    const [method, path, body] = http
    const headers = [bearer(token), 'Content-Type: application/json', 'X-Request-Id: req-9']
    const answer = await front.call(method, path, headers, body && JSON.stringify(body))
    expect(answer.status, answer.body).toBe(200)
    await expect.poll(() => records.slice(2).map(told)).toEqual(leaves)
    for (const record of records.slice(2)) {
      expect(record, record.action).toMatchObject({ actor: 'root', address: '127.0.0.1', requestId: 'req-9' })
    }
  })

  it('leaves no record that it was done where the store refuses or fails', async () => {
    const { front, records, users } = await startAudited()
    front.store.failure = new StoreError('away')
    await expect(call(users, context)).rejects.toThrow(StoreError)
    await front.security.close()
    expect(
      records.map(({ action }) => action).filter((action) => leaves.some((one) => one.startsWith(action))),
    ).toEqual(
      // Where the outcome of the write is not known, the tokens end all the same.
      leaves[0]!.includes('dave') ? ['revocation'] : [],
    )
  })
})

/** Ends no token of a user while it is away. */
class AwayTokenStore extends MemoryTokenStore {
  isAway = false

  override removeBySubject(subject: string): number {
    if (this.isAway) throw new StoreError('away')
    return super.removeBySubject(subject)
  }
}

const endings = Object.entries(changes).filter(([, { leaves }]) => leaves.length === 2)

describe.each(endings)('security.users where tokens cannot be ended: %s', (_name, { leaves, call, http }) => {
  it('leaves the record of the change, which is made, and rejects', async () => {
    const tokenStore = new AwayTokenStore()
    const { records, users } = await startAudited({ tokenStore })
    tokenStore.isAway = true
    await expect(call(users, context)).rejects.toThrow(StoreError)
    await expect.poll(() => records.slice(1).map(told)).toEqual(leaves.slice(0, 1))
    expect(records[1]).toMatchObject({ actor: 'a nightly job', reason: 'has left', outcome: 'success' })
  })

  it('leaves it over HTTP too, which answers 503', async () => {
    const tokenStore = new AwayTokenStore()
    const { front, records } = await startAudited({ tokenStore })
    const headers = [bearer(await front.login(people.root)), 'Content-Type: application/json']
    tokenStore.isAway = true
    const [method, path, body] = http
    expect((await front.call(method, path, headers, body && JSON.stringify(body))).status).toBe(503)
    await expect.poll(() => records.map(told)).toContain(leaves[0])
    expect(records.map(({ action }) => action)).not.toContain('revocation')
  })
})

describe('security.users', () => {
  it('ends the tokens of a user who is removed, however the name is written, at once', async () => {
    const { front, records, users } = await startAudited()
    const token = bearer(await front.login(people.bob))
    expect((await front.call('GET', '/apis', [token])).status).toBe(200)
    await users.remove('PRIMARY/BOB', undefined, context)
    expect((await front.call('GET', '/apis', [token])).status).toBe(401)
    await expect.poll(() => records.map(told)).toContain('userRemoved user bob')
  })

  it('ends the tokens where the answer to a change is lost', async () => {
    const { front, records, users } = await startAudited()
    const token = bearer(await front.login(people.bob))
    front.store.lostAnswer = new StoreError('the answer was lost')
    await expect(users.setPassword('bob', password, undefined, context)).rejects.toThrow(StoreError)
    expect((await front.call('GET', '/apis', [token])).status).toBe(401)
    await expect.poll(() => records.find(({ action }) => action === 'revocation')).toMatchObject({ reason: 'has left' })
  })

  it('writes to the store of the app what is written to it, and has the same methods at each look', async () => {
    const { front, users } = await startAudited()
    const failure = new StoreError('away')
    Object.assign(users, { failure })
    expect(front.store.failure).toBe(failure)
    Object.defineProperty(users, 'failure', { value: undefined, writable: true, configurable: true })
    expect(front.store.failure).toBeUndefined()
    expect(users.listRoles).toBe(users.listRoles)
    vi.spyOn(users, 'find').mockResolvedValue(undefined)
    expect(await users.find('bob')).toBeUndefined()
  })

  it('is the store of the app in all else, a frozen one too, and has no method that it has not', async () => {
    const { store } = (await startAudited()).front
    const { users: found } = { users: Object.freeze({ ...bound(store), isReadOnly: false }) }
    const front = await startManagedFront(oneSetUp, { options: { userStore: found } })
    const users = managedUsers(front.security)
    expect(() => Object.assign(users, { domain: 'OTHER' })).toThrow(TypeError)
    expect([users.domain, users.isReadOnly, users.setDisabled, users.findProfile]).toEqual([
      'PRIMARY',
      false,
      undefined,
      undefined,
    ])
    expect(await users.find('bob')).toMatchObject({ subject: 'bob' })
  })
})

/** A store without `setDisabled`. */
function bound(store: ManagedUserStore): ManagedUserStore {
  const { domain, adminRole, isReadOnly } = store
  return {
    domain,
    adminRole,
    isReadOnly,
    authenticate: (...call) => store.authenticate(...call),
    find: (...call) => store.find(...call),
    close: () => store.close(),
    list: (...call) => store.list(...call),
    listRoles: (...call) => store.listRoles(...call),
    listMembers: (...call) => store.listMembers(...call),
    add: (...call) => store.add(...call),
    remove: (...call) => store.remove(...call),
    setPassword: (...call) => store.setPassword(...call),
    changeRoles: (...call) => store.changeRoles(...call),
    addRole: (...call) => store.addRole(...call),
    removeRole: (...call) => store.removeRole(...call),
  }
}

describe('security', () => {
  it('leaves a record of each token that is issued, revoked, and of locks that are ended', async () => {
    const { front, records } = await startAudited()
    const { tokens, unlock, unlockAddress } = front.security
    const account = (await front.security.users.find('bob'))!
    const { requestId, address } = context
    const { id } = await tokens.issue(account, { address, requestId, factors: ['app'] })
    await tokens.revoke(id, context)
    await tokens.revokeUser('bob', context)
    await unlock('bob', context)
    await unlockAddress('192.0.2.1', context)
    await expect
      .poll(() => records.slice(1).map(told))
      .toEqual([
        `login session ${id}`,
        `revocation session ${id}`,
        'revocation user bob',
        'unlock user bob',
        'unlock address 192.0.2.1',
      ])
    expect(records[1]).toMatchObject({
      actor: 'bob',
      requestId,
      address,
      details: { kind: 'management', factors: ['app'] },
    })
    for (const record of records.slice(2)) expect(record).toMatchObject({ actor: 'a nightly job', reason: 'has left' })
  })

  it('leaves one of the lock of codes that is ended, where passwords never lock', async () => {
    const front = await startSecondFactors({
      management_api: { login_throttle: { enable: false } },
    })
    const events: object[] = []
    front.security.events.on('unlock', (event) => void events.push(event))
    const { secret: seed } = await front.secondFactors.assign('root')
    secret(seed)
    await front.security.unlock('root', context)
    expect(events).toEqual([])
    for (let guess = 0; guess < 5; guess++) await front.secondFactors.verify('root', '000000')
    await front.security.unlock('root', context)
    expect(events).toEqual([expect.objectContaining({ userName: 'root', by: 'a nightly job', reason: 'has left' })])
  })

  it('leaves one where the locks of passwords cannot be ended', async () => {
    const { secondFactors, security } = await startSecondFactors()
    const { events, users } = security
    const seen: object[] = []
    events.on('unlock', (event) => void seen.push(event))
    secret((await secondFactors.assign('root')).secret)
    for (let guess = 0; guess < 5; guess++) await secondFactors.verify('root', '000000')
    const loginThrottle = { start: vi.fn(), unlock: () => Promise.reject(new StoreError('away')) }
    const secondStep = { users, secondFactors }
    const unlocking = unlockUser({ loginThrottle, secondStep, events, clock: Date.now }, 'root', context)
    await expect(unlocking).rejects.toThrow('away')
    expect(seen).toEqual([expect.objectContaining({ userName: 'root', by: 'a nightly job' })])
  })
})
