import { type DocumentChanges, document, type Front, type FrontOptions, startFront } from './front.js'
import { MemoryUserStore, type MemoryUserStoreOptions } from './memory-user-store.js'
import { secret } from './recorded-log.js'
import { oneSetUp, type SetUp } from './set-ups.js'

/** Users of {@link startManagedFront}: two administrators, and two who are none. */
export const people = {
  root: { name: 'root', password: secret('Root-password-1'), roles: ['admin'] },
  second: { name: 'second', password: secret('Second-password-2'), roles: ['admin'] },
  bob: { name: 'bob', password: secret('Bob-password-3'), roles: ['operators'] },
  carol: { name: 'carol', password: secret('Carol-password-4'), roles: [] },
} as const

/** A running app whose users are in a store that can be managed. */
export interface ManagedFront extends Front {
  readonly store: MemoryUserStore
}

/** What {@link startManagedFront} can be told. */
export interface ManagedFrontOptions extends Omit<FrontOptions, 'source'> {
  readonly document?: DocumentChanges
  readonly store?: MemoryUserStoreOptions
}

/** Starts an app with the front before `/management` and {@link people} in a {@link MemoryUserStore}. */
export async function startManagedFront(
  setUp: SetUp = oneSetUp,
  { document: changes, store: storeOptions, ...frontOptions }: ManagedFrontOptions = {},
): Promise<ManagedFront> {
  const users = Object.fromEntries(Object.values(people).map(({ name, ...rest }) => [name, rest]))
  const store = new MemoryUserStore({ users, roles: ['operators', 'viewers'], superAdmin: 'root', ...storeOptions })
  const front = await startFront(setUp, {
    ...frontOptions,
    source: document(changes),
    options: { userStore: store, ...frontOptions.options },
  })
  return Object.assign(front, { store })
}
