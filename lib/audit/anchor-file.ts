/**
 * The anchor: checkpoints in a file of their own, one a line, to be kept where who can change the trail cannot reach.
 *
 * @module
 */

import { open } from 'node:fs/promises'
import { within } from '../async/deadline.js'
import type { Logger } from '../core/logger.js'
import { RecordQueue } from './record-queue.js'

/** Options of {@link AnchorFile}. */
export interface AnchorFileOptions {
  readonly path: string
  /** Resolves when the trail is on the disk: an anchor claims nothing that a power failure could still take away. */
  readonly sync: () => Promise<unknown>
  readonly logger: Logger
  /** How long the file system may take. @defaultValue 10000 */
  readonly timeoutMs?: number
}

/** Appends checkpoints. It may be on a network: where it fails or hangs, they wait, and the trail goes on. */
export class AnchorFile {
  readonly #options: AnchorFileOptions
  readonly #queue: RecordQueue<string>
  #writing: Promise<unknown> = Promise.resolve()

  constructor(options: AnchorFileOptions) {
    this.#options = options
    const { path: file, logger } = options
    this.#queue = new RecordQueue({
      write: (checkpoints) => this.#write(checkpoints),
      onFailure: (cause) => logger.error({ file, cause }, 'the anchor of the audit trail cannot be written'),
      onRecovery: (lost) => logger.warn({ file, lost }, 'the anchor of the audit trail can be written again'),
    })
  }

  /** Why it cannot be written; `undefined` while it can. */
  get failure(): unknown {
    return this.#queue.failure
  }

  /** Adds a checkpoint: a compact JWS. */
  push(jws: string): void {
    this.#queue.push(jws)
  }

  /** Writes what waits. */
  async close(): Promise<void> {
    const unwritten = await this.#queue.close()
    const { path: file, logger } = this.#options
    if (unwritten > 0) {
      logger.error({ file, unwritten }, 'the audit trail has ended with checkpoints that its anchor does not have')
    }
  }

  /** A file system that hangs holds one thread of the process, and no more with each try. What is there twice does no harm. */
  async #write(checkpoints: readonly string[]): Promise<void> {
    const { path, sync, timeoutMs = 10_000 } = this.#options
    const inTime = (work: Promise<unknown>): Promise<unknown> =>
      within(work, timeoutMs, () => new Error(`no answer within ${timeoutMs} ms`))
    await inTime(this.#writing.catch(() => undefined))
    this.#writing = sync().then(() => appendLines(path, checkpoints))
    await inTime(this.#writing)
  }
}

/** The lines are on the disk when this resolves. */
async function appendLines(file: string, lines: readonly string[]): Promise<void> {
  const handle = await open(file, 'a', 0o600)
  try {
    await handle.appendFile(lines.map((line) => `${line}\n`).join(''))
    await handle.datasync()
  } finally {
    await handle.close()
  }
}

/** The checkpoints in the text of an anchor, in its order. */
export function readAnchors(text: string): readonly string[] {
  return text.split(/\s+/).filter((line) => line !== '')
}
