import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { AnchorFile } from '../../lib/audit/anchor-file.js'
import { recordedLog } from '../helpers/recorded-log.js'
import { newFolder } from './open-trail.js'

it.skipIf(process.platform === 'win32')(
  'a file system that hangs is an error once, and is tried once at a time',
  async () => {
    const path = join(newFolder(), 'anchor')
    // It cannot be opened for writing before something reads it.
    execFileSync('mkfifo', [path])
    const log = recordedLog()
    const sync = vi.fn(async () => {})
    const anchor = new AnchorFile({ path, sync, logger: log.logger, timeoutMs: 50 })
    anchor.push('first')
    await expect.poll(() => anchor.failure).toEqual(new Error('no answer within 50 ms'))
    anchor.push('second')
    await new Promise((resolve) => setTimeout(resolve, 1500))
    await anchor.close()
    expect(sync).toHaveBeenCalledOnce()
    expect(log.entries.map(({ level, fields }) => [level, fields['unwritten']])).toEqual([
      ['error', undefined],
      ['error', 2],
    ])
    closeSync(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK))
  },
)
