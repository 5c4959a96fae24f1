/**
 * The audit trail of a command: one line of JSON to standard error for each change.
 *
 * @module
 */

import { userInfo } from 'node:os'
import { SecurityEvents } from '../core/events.js'
import { jsonLogger } from '../core/logger.js'
import type { CommandProcess } from './read-password.js'

/** The events of one command. */
export function commandEvents({ stderr }: CommandProcess): SecurityEvents {
  const logger = jsonLogger((line) => {
    stderr.write(line)
  })
  return new SecurityEvents(logger)
}

/** When and by whom a change is made: by the user of the operating system. */
export function byOperator(): { at: number; by: string; address: undefined } {
  return { at: Date.now(), by: operatingSystemUser(), address: undefined }
}

/** A user of a container may have no name. */
function operatingSystemUser(): string {
  try {
    return userInfo().username
  } catch {
    return `uid ${process.getuid?.()}`
  }
}
