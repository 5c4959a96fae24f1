/**
 * What administrators ask and change: the same resources below the management API and below the operators' page.
 *
 * @module
 */

import { apiTokensGate } from '../admin-api/api-tokens.js'
import { auditGate } from '../admin-api/audit.js'
import { configurationGate } from '../admin-api/configuration.js'
import { eventsGate } from '../admin-api/events.js'
import { locksGate, type UnlockUser } from '../admin-api/locks.js'
import { type PreviewReload, type ReloadFile, reloadGate } from '../admin-api/reload.js'
import { serviceProvidersGate } from '../admin-api/service-providers.js'
import { sessionsGate } from '../admin-api/sessions.js'
import { userSessionsGate } from '../admin-api/user-sessions.js'
import type { AuditTrail } from '../audit/audit-trail.js'
import type { EventStreams } from '../console/event-streams.js'
import type { SecurityEvents } from '../core/events.js'
import { healthGate } from '../health/gates.js'
import type { Health } from '../health/health.js'
import type { Gate } from '../http/gate.js'
import { metricsGate } from '../metrics/gates.js'
import type { SecurityMetrics } from '../metrics/security-metrics.js'
import type { SecondStepParts } from '../portals/second-step.js'
import type { Tokens } from '../tokens/tokens.js'
import type { ManagedLoginThrottle } from '../users/throttle/login-throttle.js'
import type { OperatorViews } from './operator-views.js'
import { listLocks, unlockUser } from './second-factor.js'

/** What the resources work with. */
export interface OperatorParts {
  readonly tokens: Tokens
  /** `undefined`: nothing asked for a second factor when the process was started. */
  readonly secondStep?: SecondStepParts | undefined
  /** The throttle of all logins; `undefined`: there is none. */
  readonly loginThrottle: ManagedLoginThrottle | undefined
  readonly reloadFile: ReloadFile
  readonly health: Health
  readonly metrics: SecurityMetrics
  readonly previewReload: PreviewReload
  readonly views: OperatorViews
  readonly eventStreams: EventStreams
  readonly events: SecurityEvents
  readonly clock: () => number
  /** `undefined`: there is none. */
  readonly audit: AuditTrail | undefined
}

/** What only administrators may call, whoever keeps the users. It goes before the gate of the users, who may have any name. */
export function operatorResources(parts: OperatorParts): readonly Gate[] {
  const { tokens, loginThrottle, eventStreams, views } = parts
  const unlock: UnlockUser = (user, context) => unlockUser(parts, user, context)
  return [
    sessionsGate(tokens),
    userSessionsGate(tokens),
    locksGate(loginThrottle, () => listLocks(loginThrottle, parts.secondStep), unlock),
    healthGate(parts.health),
    metricsGate(parts.metrics),
    reloadGate(parts.reloadFile, parts.previewReload),
    configurationGate(views.describeConfiguration),
    apiTokensGate(views.listApiTokens, tokens),
    serviceProvidersGate(views.serviceProviders),
    eventsGate(eventStreams),
    auditGate(parts),
  ]
}
