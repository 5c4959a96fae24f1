/**
 * The anchor: checkpoints in a file of their own, one a line, to be kept where who can change the trail cannot reach.
 *
 * @module
 */

import { open } from 'node:fs/promises'

/** Appends a checkpoint. It is on the disk when this resolves. Rejects with what the file system throws. */
export async function appendAnchor(file: string, jws: string): Promise<void> {
  const handle = await open(file, 'a', 0o600)
  try {
    await handle.appendFile(`${jws}\n`)
    await handle.datasync()
  } finally {
    await handle.close()
  }
}

/** The checkpoints in the text of an anchor, in its order. */
export function readAnchors(text: string): readonly string[] {
  return text.split(/\s+/).filter((line) => line !== '')
}
