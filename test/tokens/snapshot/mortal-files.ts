/** Files of a process that is killed between any two operations, or in the middle of a write. */

import { cpSync, readdirSync, rmSync, truncateSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { realFiles, type StateFile, type StateFiles } from '../../../lib/tokens/snapshot/state-files.js'
import { folderWith } from '../../helpers/key-files.js'
import { deferred } from '../../users/deferred.js'

/** When the process is killed. */
export interface Death {
  /** Operations that it still does. @defaultValue it lives */
  readonly after?: number
  /** Share of the bytes of a write that are written all the same when it dies in it. @defaultValue 0 */
  readonly tears?: number
}

/** The real files, which are synced in name only. From the death on, no operation does anything or ever ends. */
export class MortalFiles implements StateFiles {
  /** Names of the operations. */
  readonly operations: string[] = []
  readonly #death: Death
  readonly #died = deferred()
  readonly #running = new Set<Promise<unknown>>()
  #isKilled = false
  readonly #open = new Set<StateFile>()
  /** Bytes that survive a power failure, by path. */
  readonly #synced = new Map<string, number>()

  constructor(death: Death = {}) {
    this.#death = death
  }

  get died(): Promise<unknown> {
    return this.#died.promise
  }

  get isDead(): boolean {
    return this.#isKilled || this.operations.length > (this.#death.after ?? Number.POSITIVE_INFINITY)
  }

  async create(path: string): Promise<StateFile> {
    const file = await this.#step('create', async () => {
      const created = await realFiles.create(path)
      this.#open.add(created)
      return created
    })
    let written = 0
    return {
      append: async (bytes) => {
        const tear = () => file.append(bytes.subarray(0, Math.floor(bytes.length * (this.#death.tears ?? 0))))
        await this.#step('append', () => file.append(bytes), tear)
        written += bytes.length
      },
      sync: async () => {
        const length = written
        await this.#step('sync', async () => undefined)
        this.#synced.set(path, length)
      },
      close: async () => {
        if (this.isDead) return
        this.#open.delete(file)
        await this.#track(file.close())
      },
    }
  }

  rename(from: string, to: string): Promise<void> {
    return this.#step('rename', async () => {
      await realFiles.rename(from, to)
      this.#synced.set(to, this.#synced.get(from) ?? 0)
    })
  }

  remove(path: string): Promise<void> {
    return this.#step('remove', () => realFiles.remove(path))
  }

  syncFolder(_path: string): Promise<void> {
    return this.#step('sync folder', async () => undefined)
  }

  /** Resolves when no operation has been under way for some turns. */
  async untilQuiet(): Promise<void> {
    for (let turns = 0; turns < 5; turns++) {
      if (this.#running.size > 0) turns = 0
      await Promise.allSettled(this.#running)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** Kills it, where it lives. What the next process finds, at another place. `isPowerCut`: without what was not synced. */
  async remains(file: string, isPowerCut = false): Promise<string> {
    this.#isKilled = true
    await Promise.allSettled(this.#running)
    for (const open of this.#open) await open.close()
    this.#open.clear()
    const folder = folderWith()
    for (const name of readdirSync(dirname(file))) {
      const path = join(dirname(file), name)
      cpSync(path, join(folder, name))
      if (isPowerCut && !name.endsWith('.lock')) truncateSync(join(folder, name), this.#synced.get(path) ?? 0)
    }
    rmSync(join(folder, `${basename(file)}.lock`), { force: true })
    return join(folder, basename(file))
  }

  #track<T>(running: Promise<T>): Promise<T> {
    this.#running.add(running)
    return running.finally(() => this.#running.delete(running))
  }

  async #step<T>(name: string, operation: () => Promise<T>, tear?: () => Promise<void>): Promise<T> {
    const wasDead = this.isDead
    this.operations.push(name)
    const work = this.isDead ? (wasDead ? undefined : tear?.()) : operation()
    const running = Promise.resolve(work)
    const result = await this.#track(running)
    if (!this.isDead) return result as T
    this.#died.resolve()
    return new Promise<never>(() => undefined)
  }
}
