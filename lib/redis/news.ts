/**
 * The log in which processes tell each other that the rights of users have changed, as one process reads it.
 *
 * @module
 */

import type { RedisSession } from './redis-session.js'
import type { Script } from './script.js'

/** Told of an entry: its number, and the user. Of all users where `subject` is absent. */
export type TellNews = (number: number, subject: string | undefined) => void

/** Adds an entry. */
export const publishScript: Script = {
  text: `local number = redis.call('INCR', KEYS[1])
redis.call('ZADD', KEYS[2], number, number .. ' ' .. ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1001)
return number`,
}

export class News {
  readonly #tell: TellNews
  /** The last entry that was told; `undefined`: of those before the start none has to be. */
  #number: number | undefined
  #reading: Promise<void> | undefined
  /** Whether there is more than what is being read. */
  #hasMore = false

  constructor(tell: TellNews) {
    this.#tell = tell
  }

  /** That of the last entry that was told. */
  get number(): number {
    return this.#number ?? 0
  }

  /** Whether every entry that this process has heard of was told. */
  get isRead(): boolean {
    return this.#reading === undefined
  }

  /** Resolves when that is so. */
  async whenRead(): Promise<void> {
    await this.#reading
  }

  /** Begins with the log as it is. Where that is not the one of before, everything may have changed. */
  async start(session: RedisSession, isOtherData: boolean): Promise<void> {
    const isFirst = this.#number === undefined
    if (!isFirst && !isOtherData) return this.read(session)
    this.#number = (await session.readLog(Number.MAX_SAFE_INTEGER)).newsNumber
    if (!isFirst) this.#tell(this.#number, undefined)
  }

  /** Reads what is new. A failure ends the session. */
  read(session: RedisSession): Promise<void> {
    this.#hasMore = true
    this.#reading ??= this.#readAll(session)
      .catch((error: unknown) => session.end(error))
      .finally(() => {
        this.#reading = undefined
      })
    return this.#reading
  }

  async #readAll(session: RedisSession): Promise<void> {
    while (this.#hasMore) {
      this.#hasMore = false
      const since = this.number
      const { newsNumber, lines } = await session.readLog(since)
      // An entry is missing: the log was cut, or another one has taken its place.
      if (lines.length !== newsNumber - since) this.#tell(newsNumber, undefined)
      for (const line of lines) {
        const [, number, subject] = /^(\d+) (.*)$/s.exec(line) ?? []
        this.#tell(Number(number), subject || undefined)
      }
      this.#number = newsNumber
    }
  }
}
