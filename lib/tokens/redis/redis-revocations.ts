/**
 * The revocations that a process has Redis execute. Those of the last minute are remembered, and executed again where they may be lost;
 * and so are the numbers by which logins that a revocation has overtaken are told.
 *
 * @module
 */

import { digest } from '../../core/digest.js'
import type { OpenedLink } from '../../redis/link-listener.js'
import type { Script } from '../../redis/script.js'
import { AcknowledgedRevocations, slicesOf } from '../external/acknowledged-revocations.js'
import { LoginNumbers, markMs } from '../external/login-numbers.js'
import { allPools } from '../external/pools.js'
import { removeBySubjectScript, removeScript, sliceSize } from './token-scripts.js'

/** Users whose revocations are executed again at a time. */
const usersAtATime = 100

/** Runs a script with the keys of the tokens. */
export type RunTokenScript = (
  script: Script,
  args: readonly (string | number)[],
  run?: OpenedLink['run'],
) => Promise<unknown>

/** The revocations of one token store. */
export class RedisRevocations {
  readonly #run: RunTokenScript
  readonly #confirm: () => Promise<void>
  readonly #clock: () => number
  readonly #tokens = new AcknowledgedRevocations<undefined>()
  /** By subject: tokens of logins that began until then were removed. */
  readonly #users = new AcknowledgedRevocations<number>()
  readonly #numbers = new LoginNumbers()

  /** `confirm`: resolves when as many replicas as are asked for have what was written. */
  constructor(run: RunTokenScript, confirm: () => Promise<void>, clock: () => number) {
    this.#run = run
    this.#confirm = confirm
    this.#clock = clock
  }

  /** Ends a token. Whether there was one. */
  async remove(id: string): Promise<boolean> {
    const isRemoved = (await this.#run(removeScript, [id])) === 1
    this.#tokens.set(id, undefined)
    await this.#confirm()
    return isRemoved
  }

  /** Ends all tokens of a user. How many there were. */
  async removeBySubject(subject: string): Promise<number> {
    const count = await this.#removeBySubject(subject, Number.MAX_SAFE_INTEGER)
    this.#users.set(subject, this.#clock())
    await this.#confirm()
    return count
  }

  /** Executes again what this process has told its clients: a fail-over or an older copy of the data may have lost it. */
  async reopen({ run, isOtherData, newsNumber }: OpenedLink): Promise<void> {
    if (isOtherData) {
      this.#numbers.clear()
      const ids = this.#tokens.list().map(([id]) => id)
      for (const slice of slicesOf(ids, sliceSize)) await this.#run(removeScript, slice, run)
      for (const slice of slicesOf(this.#users.list(), usersAtATime)) {
        await Promise.all(slice.map(([subject, issuedUntil]) => this.#removeBySubject(subject, issuedUntil, run)))
      }
    }
    this.noteNumber(newsNumber)
  }

  /** `number`: of an entry of the log. */
  noteNumber(number: number): void {
    this.#numbers.note(number, this.#clock())
  }

  /** @throws StoreError for a login that began before the connection to this data. */
  numberKnownAt(moment: number): number {
    return this.#numbers.knownAt(moment, this.#clock())
  }

  async #removeBySubject(subject: string, issuedUntil: number, run?: OpenedLink['run']): Promise<number> {
    let count = 0
    let places = allPools.flatMap<string>((pool) => [pool, '0'])
    let isFirst = true
    while (places.length > 0) {
      const args = [digest(subject), issuedUntil, isFirst ? 1 : 0, subject, markMs, ...places]
      const [removed, number, rest] = (await this.#run(removeBySubjectScript, args, run)) as [number, number, string[]]
      if (isFirst) this.noteNumber(number)
      count += removed
      places = rest
      isFirst = false
    }
    return count
  }
}
