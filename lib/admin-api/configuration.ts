/**
 * `/configuration`: what holds, where it is written, and what should be put right. Secrets are masked.
 *
 * @module
 */

import type { Gate } from '../http/gate.js'
import { administratorsOnly, type Call, readMember, resourceGate } from './resource.js'
import type { ConfigurationView } from './schemas/configuration.js'

/** Answers `GET /configuration`, of administrators only, with {@link ConfigurationView}: of the configuration in effect. */
export function configurationGate(describe: () => Promise<ConfigurationView>): Gate {
  const read = (_call: Call): Promise<ConfigurationView> => describe()
  return administratorsOnly(
    (path) => readMember('configuration', path) !== undefined,
    resourceGate('configuration', { GET: read }),
  )
}
