/** What JavaScript gives in the place of a text or a time leaves a record all the same, or is refused. */

import { describe, expect, it } from 'vitest'
import type { AuditRecord } from '../../lib/audit/audit-record.js'
import type { ChangeContext, SecurityEventMap } from '../../lib/core/events.js'
import { isManagedUserStore } from '../../lib/index.js'
import type { Login } from '../../lib/tokens/tokens.js'
import { basic, type Front } from '../helpers/front.js'
import { startManagedFront } from '../helpers/managed-front.js'
import { oneSetUp } from '../helpers/set-ups.js'

interface Audited {
  readonly front: Front
  readonly records: AuditRecord[]
}

async function startAudited(): Promise<Audited> {
  const records: AuditRecord[] = []
  const front = await startManagedFront(oneSetUp, { options: { auditTrail: (record) => void records.push(record) } })
  return { front, records }
}

const nobody = { by: null, reason: null, address: null, requestId: null, traceparent: null }
const bob = { subject: 'bob', roles: [], isAdmin: false, version: '1' }

type Call = (front: Front, context: ChangeContext) => unknown

const calls: Readonly<Partial<Record<keyof SecurityEventMap, Call>>> = {
  roleAdded({ security: { users } }, context) {
    if (!isManagedUserStore(users)) throw new Error('the users cannot be managed')
    return users.addRole('editors', undefined, context)
  },
  userRemoved({ security: { users } }, context) {
    if (!isManagedUserStore(users)) throw new Error('the users cannot be managed')
    return users.remove('bob', undefined, context)
  },
  revocation: ({ security }, context) => security.tokens.revokeUser('bob', context),
  unlock: ({ security }, context) => security.unlock('bob', context),
  reloadRefused: ({ security }, context) => security.reload('/no/such/file', context).catch(() => undefined),
}

describe.each(Object.entries(calls) as [keyof SecurityEventMap, Call][])('a call that leaves %s', (action, call) => {
  it.each([
    ['null for each member', nobody],
    ['null for the context', null],
  ])('leaves it with %s', async (_what, context) => {
    const { front, records } = await startAudited()
    const seen: unknown[] = []
    front.security.events.on(action, (event: unknown) => void seen.push(event))
    await call(front, context as never)
    const found = (): AuditRecord | undefined => records.find((record) => record.action === action)
    await expect.poll(found).toMatchObject({ actor: null, address: null })
    expect(Object.keys(found()!)).not.toContain('requestId')
    expect(seen).toHaveLength(1)
  })
})

describe('a record of a call', () => {
  it('has no id of a request that is malformed, and no long address', async () => {
    const { front, records } = await startAudited()
    const { tokens } = front.security
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    await tokens.issue(bob, { requestId: 'two\nlines', traceparent: 'x'.repeat(5000), address: 'y'.repeat(5000) })
    await tokens.issue(bob, { requestId: 7 as never, traceparent, address: '192.0.2.9' })
    await expect.poll(() => records).toHaveLength(3)
    expect(Object.keys(records[1]!)).not.toContain('requestId')
    expect(Object.keys(records[1]!)).not.toContain('traceparent')
    expect(records[1]!.address).toBe('y'.repeat(1024))
    expect(records[2]).toMatchObject({ requestId: '7', traceparent, address: '192.0.2.9' })
  })

  it('counts as lost where its event cannot be read, and the listeners run', async () => {
    const { front, records } = await startAudited()
    const by = Object.create(null) as never
    await front.security.tokens.revokeUser('bob', { by })
    await expect
      .poll(() => records[1])
      .toMatchObject({
        action: 'recordsLost',
        outcome: 'failure',
        details: { count: 1, event: 'revocation' },
      })
    expect(front.events.at(-1)).toMatchObject({ name: 'revocation', by })
    expect(front.entries.find(({ level }) => level === 'error')?.message).toBe(
      'an event cannot be read for the audit trail',
    )
  })
})

describe('tokens.issue', () => {
  it.each([Number.NaN, Number.POSITIVE_INFINITY, 1e300, '2026-01-01', null])(
    'refuses %s as startedAt',
    async (startedAt) => {
      const { front, records } = await startAudited()
      await expect(front.security.tokens.issue(bob, { startedAt } as Login)).rejects.toThrow(TypeError)
      expect((await front.call('GET', '/login', [basic('bob', 'Bob-password-3')])).status).toBe(200)
      await expect.poll(() => records.map(({ action }) => action)).toEqual(['trailStarted', 'login'])
    },
  )
})
