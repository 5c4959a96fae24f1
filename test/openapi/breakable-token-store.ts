import { StoreError } from '../../lib/core/errors.js'
import { MemoryTokenStore } from '../../lib/tokens/memory/memory-token-store.js'
import type { TokenQuery, TokenRecord, TokenStore } from '../../lib/tokens/token-store.js'

/** A token store that can be made to fail. */
export class BreakableTokenStore implements TokenStore {
  /** While it is set, each call fails. */
  isBroken = false
  readonly #inner = new MemoryTokenStore()

  find = (id: string) => this.#store().find(id)
  add = (record: TokenRecord) => this.#store().add(record)
  touch = (id: string, at: number) => this.#store().touch(id, at)
  remove = (id: string) => this.#store().remove(id)
  removeBySubject = (subject: string) => this.#store().removeBySubject(subject)
  list = (query?: TokenQuery) => this.#store().list(query)
  close = () => this.#inner.close()

  #store(): MemoryTokenStore {
    if (this.isBroken) throw new StoreError('gone')
    return this.#inner
  }
}
