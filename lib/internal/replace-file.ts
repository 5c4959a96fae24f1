/**
 * Writes a file so that readers see the old text or the new one, whatever happens meanwhile.
 *
 * @module
 */

import { randomBytes } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Options of {@link replaceFile}. */
export interface ReplaceFileOptions {
  /** User and group that the file is given to, where this process may do that: those of the file that is replaced. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined
}

/** Writes beside the file, which only its owner can read (mode 0600), and renames. A link of that name is replaced itself. */
export async function replaceFile(file: string, text: string, { owner }: ReplaceFileOptions = {}): Promise<void> {
  const draft = `${file}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const handle = await open(draft, 'wx', 0o600)
    try {
      if (owner !== undefined && process.getuid?.() === 0) await handle.chown(owner.uid, owner.gid)
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(draft, file)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
  await syncFolder(dirname(file))
}

/** Only after this is the new name there after a power failure too. Windows does not open folders. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
