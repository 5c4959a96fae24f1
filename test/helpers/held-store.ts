import { MemoryTokenStore, type MemoryTokenStoreOptions } from '../../lib/tokens/memory/memory-token-store.js'
import type { TokenQuery, TokenRecord, TokenStore } from '../../lib/tokens/token-store.js'
import { deferred } from '../users/deferred.js'

type Method = Exclude<keyof TokenStore, 'close'>

/** One call that a test stops in its middle. */
export interface Hold {
  /** Resolves when the call is there. */
  readonly reached: Promise<void>
  /** Lets it go on, or fail. A call that has not come by then is not held. */
  release(failure?: Error): void
}

/** A token store that answers each call in a later turn, as one on a network does; a test can hold the next call of a method. */
export class HeldStore implements TokenStore {
  readonly inner: MemoryTokenStore
  readonly #holds = new Map<Method, { readonly reach: () => void; readonly released: Promise<Error | undefined> }>()

  constructor(options?: MemoryTokenStoreOptions) {
    this.inner = new MemoryTokenStore(options)
  }

  /** Holds the next call of a method, before it does anything. */
  hold(method: Method): Hold {
    const [reached, released] = [deferred(), deferred<Error | undefined>()]
    const hold = { reach: reached.resolve, released: released.promise }
    this.#holds.set(method, hold)
    return {
      reached: reached.promise,
      release: (failure) => {
        if (this.#holds.get(method) === hold) this.#holds.delete(method)
        released.resolve(failure)
      },
    }
  }

  async #call<T>(method: Method, work: () => T): Promise<T> {
    const hold = this.#holds.get(method)
    this.#holds.delete(method)
    hold?.reach()
    const failure = await hold?.released
    if (failure !== undefined) throw failure
    return work()
  }

  find = (id: string) => this.#call('find', () => this.inner.find(id))
  add = (record: TokenRecord) => this.#call('add', () => this.inner.add(record))
  touch = (id: string, at: number) => this.#call('touch', () => this.inner.touch(id, at))
  remove = (id: string) => this.#call('remove', () => this.inner.remove(id))
  removeBySubject = (subject: string) => this.#call('removeBySubject', () => this.inner.removeBySubject(subject))
  list = (query?: TokenQuery) => this.#call('list', () => this.inner.list(query))
  close = () => this.inner.close()
}
