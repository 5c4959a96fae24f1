/** Numbers that an app hands over: one that is out of range must not switch a limit off without a word. */

import { describe, expect, it } from 'vitest'
import {
  type AuthCoreOptions,
  createAccounts,
  createAuthCore,
  createAuthenticator,
  createKeyRing,
  createLoginThrottle,
  MemoryTokenStore,
} from '../../lib/middleware.js'
import { openSqlDatabase } from '../../lib/sql.js'
import { createBreakGlass } from '../../lib/users/login/break-glass.js'
import { MemoryUserStore } from '../helpers/memory-user-store.js'

type Options = Readonly<Record<string, unknown>>

const users = new MemoryUserStore()
const keys = createKeyRing({ algorithm: 'ES256' })
const breakGlass = { userName: 'rescue', passwordHash: 'no hash', allowedNetworks: [], primary: users }

/** Each with its options, and those that may be 0. */
const makers: readonly (readonly [string, (options: Options) => unknown, readonly string[], readonly string[]])[] = [
  [
    'createLoginThrottle',
    createLoginThrottle,
    ['maxFailures', 'windowMs', 'lockoutMs', 'maxUserFailures', 'maxSourceFailures', 'maxEntries'],
    [],
  ],
  [
    'createAuthenticator',
    (options) => createAuthenticator({ users, ...options }),
    ['failureFloorMs', 'maxInProgress', 'timeoutMs'],
    ['failureFloorMs', 'maxInProgress'],
  ],
  [
    'createAccounts',
    (options) => createAccounts({ users, ...options }),
    ['recheckIntervalMs', 'recheckGraceMs'],
    ['recheckIntervalMs', 'recheckGraceMs'],
  ],
  [
    'createAuthCore',
    async (options) => (await createAuthCore({ users, keys: await keys, ...options } as AuthCoreOptions)).close(),
    ['recheckIntervalMs', 'recheckGraceMs', 'expiryMs', 'failureFloorMs', 'maxInProgress', 'timeoutMs'],
    ['recheckIntervalMs', 'recheckGraceMs', 'failureFloorMs', 'maxInProgress'],
  ],
  [
    'createBreakGlass',
    (options) => createBreakGlass({ ...breakGlass, ...options }),
    ['afterMs', 'maxTokenAgeMs', 'timeoutMs'],
    [],
  ],
  [
    'openSqlDatabase',
    (options) => openSqlDatabase({ url: 'jdbc:sqlite:unused.db', ...options }),
    ['maxConnections', 'maxWaiting', 'timeoutMs', 'connectTimeoutMs'],
    ['maxWaiting'],
  ],
  [
    'openSqlDatabase of a server',
    (options) => openSqlDatabase({ url: 'jdbc:mysql://127.0.0.1:1/unused', ...options }),
    ['maxConnections', 'maxWaiting', 'timeoutMs', 'connectTimeoutMs'],
    ['maxWaiting'],
  ],
  ['createKeyRing', (options) => createKeyRing(options), ['rsaBits'], []],
  [
    'new MemoryTokenStore',
    (options) => new MemoryTokenStore(options),
    ['maxSize', 'maxSessions', 'maxOAuthTokens', 'maxPerUser', 'cleanUpIntervalMs'],
    [],
  ],
]

describe.each(makers)('%s', (_maker, make, names, mayBeZero) => {
  it.each(names)('refuses %s where it is out of range or no number', async (name) => {
    const zero = mayBeZero.includes(name) ? [] : [0]
    for (const value of [...zero, -1, Number.NaN, Number.POSITIVE_INFINITY, '5', null]) {
      const made = (async () => make({ [name]: value }))()
      await expect(made, `${name}: ${value}`).rejects.toThrow(
        expect.objectContaining({ name: 'TypeError', message: expect.stringContaining(`"${name}" option must be`) }),
      )
    }
  })
})
