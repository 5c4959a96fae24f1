/**
 * What the authorization servers of several processes share: each step is one script, which the primary executes.
 *
 * @module
 */

import { inBackground } from '../async/background.js'
import { digest } from '../core/digest.js'
import type { OpenedLink } from '../redis/link-listener.js'
import type { RedisLink } from '../redis/redis-link.js'
import type { Script } from '../redis/script.js'
import {
  consumeAgainScript,
  consumeScript,
  findScript,
  findSessionScript,
  putPartScript,
  putRootScript,
  removePartsScript,
  removeScript,
  renameScript,
} from './oauth-scripts.js'
import type { EntryModel, OauthEntry, OauthStore, OauthStoreOptions, RemovedEntry } from './oauth-store.js'
import { isRoot, jsonFrom, liveEntryFrom, refFor } from './stored-entry.js'

/** Options of {@link RedisOauthStore}. `maxEntries` are those of all processes together. */
export interface RedisOauthStoreOptions extends Omit<OauthStoreOptions, 'clock'> {
  readonly link: RedisLink
  /** Milliseconds since the epoch. @defaultValue the clock of Redis */
  readonly clock?: (() => number) | undefined
}

/** How long a use or a removal is executed again on other data, and how many of them. */
const replayMs = 60_000
const maxReplayed = 5000

/** A use or a removal that Redis has acknowledged. */
interface Acknowledged {
  readonly at: number
  readonly script: Script
  readonly args: readonly (string | number)[]
}

/** Each method rejects with `StoreError` when Redis fails, and may have done its work then. */
export class RedisOauthStore implements OauthStore {
  readonly #options: RedisOauthStoreOptions
  readonly #clock: () => number
  readonly #prefix: string
  #acknowledged: Acknowledged[] = []

  constructor(options: RedisOauthStoreOptions) {
    const { link, clock = link.now } = options
    this.#options = options
    this.#clock = clock
    this.#prefix = link.key('')
    link.listen({ onOpen: (opened) => this.#onOpen(opened) })
  }

  async find(model: EntryModel, id: string): Promise<OauthEntry | undefined> {
    const answer = (await this.#run(findScript, placeFrom(model, id))) as [string, string] | null
    if (answer === null) return undefined
    const usedAt = Number(answer[1])
    return liveEntryFrom(answer[0], { model, id, consumedAt: usedAt === 0 ? undefined : usedAt }, this.#clock())
  }

  async findSession(uid: string): Promise<OauthEntry | undefined> {
    const answer = (await this.#run(findSessionScript, [digest(uid)])) as [string, string] | null
    return answer === null ? undefined : liveEntryFrom(answer[0], { model: 'Session', id: answer[1] }, this.#clock())
  }

  async put(entry: OauthEntry): Promise<void> {
    const now = this.#clock()
    const { model, id, subject = '', payload, expiresAt, grantId = '', consumedAt = 0 } = entry
    const lifetime = Math.max(1, Math.ceil(expiresAt - now))
    const json = jsonFrom(entry)
    const uid = model === 'Session' ? digest(String(payload['uid'])) : '-'
    const answer = isRoot(model)
      ? await this.#run(putRootScript, [
          ...placeFrom(model, id),
          digest(subject),
          uid,
          json,
          now,
          lifetime,
          expiresAt,
          this.#options.maxEntries,
        ])
      : await this.#run(putPartScript, [
          id,
          digest(grantId),
          json,
          now,
          lifetime,
          expiresAt,
          consumedAt,
          model === 'AccessToken' ? 1 : 0,
        ])
    const evicted = accessTokensFrom(answer)
    if (evicted.length > 0) inBackground(() => this.#options.onEvict(evicted))
  }

  async rename(_model: 'AccessToken', from: string, to: string): Promise<boolean> {
    return (await this.#run(renameScript, [from, to, this.#clock()])) === 1
  }

  async consume(_model: EntryModel, id: string): Promise<boolean> {
    const { link } = this.#options
    // A code that was used, and not confirmed, is lost to its client: better to refuse it before.
    await link.confirm()
    const args = [id, this.#clock()]
    const isFirst = (await this.#run(consumeScript, args)) === 1
    if (!isFirst) return false
    this.#remember(consumeScript, args)
    await link.confirm()
    return true
  }

  async consumeAgain(_model: EntryModel, id: string, windowMs: number): Promise<boolean> {
    const args = [id, Math.max(0, this.#clock() - windowMs)]
    if ((await this.#run(consumeAgainScript, args)) !== 1) return false
    this.#remember(consumeAgainScript, args)
    await this.#options.link.confirm()
    return true
  }

  async remove(model: EntryModel, id: string): Promise<readonly RemovedEntry[]> {
    const place = placeFrom(model, id)
    const [wasThere, gone] = (await this.#run(removeScript, place)) as [number, unknown]
    // Also what was not there: a primary that takes over may have it, and the client may repeat what was not confirmed.
    this.#remember(removeScript, place)
    await this.#options.link.confirm()
    if (wasThere !== 1) return []
    return [{ model, id }, ...accessTokensFrom(gone).filter((token) => token.id !== id)]
  }

  async removeMembers(grantId: string): Promise<readonly RemovedEntry[]> {
    const gone = await this.#run(removePartsScript, [digest(grantId)])
    await this.#options.link.confirm()
    return accessTokensFrom(gone)
  }

  /** Nothing ends with this process. */
  close(): void {
    this.#acknowledged = []
  }

  #run(
    script: Script,
    args: readonly (string | number)[],
    run: RedisLink['run'] = this.#options.link.run.bind(this.#options.link),
  ): Promise<unknown> {
    return run(script, [this.#prefix], args)
  }

  /** What this process tells its clients. */
  #remember(script: Script, args: readonly (string | number)[]): void {
    const at = performance.now()
    if (this.#acknowledged.length >= maxReplayed) {
      this.#acknowledged = this.#acknowledged.filter((other) => at - other.at < replayMs).slice(-maxReplayed / 2)
    }
    this.#acknowledged.push({ at, script, args })
  }

  /** A fail-over or an older copy of the data may have lost what was acknowledged: used codes and revoked grants would be good again. */
  async #onOpen({ run }: OpenedLink): Promise<void> {
    const now = performance.now()
    this.#acknowledged = this.#acknowledged.filter(({ at }) => now - at < replayMs)
    await Promise.all(this.#acknowledged.map(({ script, args }) => this.#run(script, args, run)))
  }
}

/** Model and ref; of a part the id, which is a digest. */
function placeFrom(model: EntryModel, id: string): readonly [string, string] {
  return [isRoot(model) ? model : '', refFor(model, id)]
}

function accessTokensFrom(ids: unknown): readonly RemovedEntry[] {
  return (ids as readonly string[]).map((id) => ({ model: 'AccessToken', id }))
}
