/**
 * The break-glass account of a configuration, wired to the tokens that it ends.
 *
 * @module
 */

import type { Config } from '../config/config.js'
import type { Logger } from '../core/logger.js'
import type { Tokens } from '../tokens/tokens.js'
import { type BreakGlass, type BreakGlassOptions, createBreakGlass } from '../users/login/break-glass.js'

/** What {@link openBreakGlass} works with. */
export interface BreakGlassParts extends Pick<BreakGlassOptions, 'primary' | 'events' | 'state' | 'clock'> {
  readonly revokeUser: Tokens['revokeUser']
  readonly logger: Logger
}

/** `undefined` when the configuration does not enable it. */
export async function openBreakGlass(
  { managementApi: { breakGlass } }: Config,
  { revokeUser, logger, ...parts }: BreakGlassParts,
): Promise<BreakGlass | undefined> {
  const onRecovery = (subject: string): void => {
    revokeUser(subject, { reason: 'the user store can be reached again' }).catch((cause: unknown) =>
      logger.error({ cause }, 'break-glass tokens may still be good'),
    )
  }
  return breakGlass && createBreakGlass({ ...breakGlass, ...parts, onRecovery })
}
