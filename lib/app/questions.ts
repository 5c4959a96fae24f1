/**
 * What a running front can be asked about itself. The answers come from another front of the same configuration, which is loaded and
 * made when somebody asks.
 *
 * @module
 */

import type { UserStore } from '../users/user-store.js'
import type { FrontParts } from './mounts.js'
import type { RunningState } from './reload.js'
import type { Security } from './security.js'

/** The parts of a front, with the configuration in effect. */
export function frontParts(running: RunningState, parts: Omit<FrontParts, 'config'>): FrontParts {
  return {
    ...parts,
    get config() {
      return running.config
    },
  }
}

export function createQuestions(front: FrontParts, users: UserStore): Pick<Security, 'explain' | 'coverage'> {
  return {
    async explain(request, app) {
      const { explain } = await import('../explain/explain.js')
      const { config, usesFileUsers, wire } = front
      return explain(request, { config, usesFileUsers, wire, findUser: (name) => users.find(name) }, app)
    },

    async coverage(app) {
      const { coverApp } = await import('../explain/coverage.js')
      return coverApp(app)
    },
  }
}
