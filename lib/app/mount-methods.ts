/**
 * The methods of a front that make handlers: each keeps its gates in {@link Mounts}, where a reload exchanges them.
 *
 * @module
 */

import type { RequestHandler } from 'express'
import type { SecurityEvents } from '../core/events.js'
import { createLanguageChoice } from '../core/languages.js'
import { managementConsole } from '../core/names.js'
import { type Refuse, toHandler } from '../http/gate.js'
import { refuseAtMount } from '../http/refusals.js'
import { portalRefusalAnswer } from '../portals/refusals.js'
import { securityHeadersGate } from '../portals/security-headers.js'
import { assertConsole, consoleGates } from './console.js'
import { type ManagementApiParts, managementApiGates } from './management-api.js'
import type { GatesOf, MountMaking, Mounts } from './mounts.js'
import { oauthAreaGates, oauthWellKnownGate, type openOauth } from './oauth-area.js'
import { type PortalGateParts, type PortalOptions, portalGates, portalView } from './portal.js'
import { ruleFinder } from './refusal-rules.js'
import { assertOpen, type RunningState } from './reload.js'
import type { Security } from './security.js'
import { assertCall } from './start-checks.js'
import { webAppsGates } from './web-apps.js'

/** What the handlers work with. */
export interface MountMethodsParts {
  readonly running: RunningState
  readonly mounts: Mounts
  readonly gateParts: ManagementApiParts & PortalGateParts
  readonly oauth: Awaited<ReturnType<typeof openOauth>>
  readonly events: SecurityEvents
  readonly clock: () => number
}

export function createMountMethods({
  running,
  mounts,
  gateParts: parts,
  oauth,
  events,
  clock,
}: MountMethodsParts): Pick<Security, 'managementApi' | 'portal' | 'webApps' | 'oauth' | 'wellKnown' | 'console'> {
  const refuse = refuseAtMount(events, clock, undefined, ruleFinder(running, 'managementApi'))
  const languageOf = createLanguageChoice(() => running.config.portalDefaults.languages)
  const refuseAtPortal = (name?: string, options?: PortalOptions): Refuse => {
    const { refusalPage } = options ?? {}
    const view = () => portalView(running.config, name ?? '')
    const portal =
      name === undefined
        ? undefined
        : { name, view, refusalPage, setHeaders: securityHeadersGate, logger: parts.logger }
    return refuseAtMount(events, clock, portalRefusalAnswer({ languageOf, portal }), ruleFinder(running, 'portal'))
  }

  function mount(making: MountMaking, gatesOf: GatesOf, answer: Refuse): RequestHandler {
    assertOpen(running, `security.${making.name}()`)
    return mounts.add(making, running.config, gatesOf, answer)
  }

  return {
    managementApi(options) {
      assertCall('managementApi', options)
      const making: MountMaking = { name: 'managementApi', make: (other) => other.managementApi(options) }
      return mount(making, (next) => managementApiGates(next, parts, options), refuse)
    },

    portal(name, options) {
      assertCall('portal', typeof name === 'string' ? options : name)
      const making: MountMaking = { name: 'portal', portal: name, make: (other) => other.portal(name, options) }
      return mount(making, (next) => portalGates(next, name, parts, options), refuseAtPortal(name, options))
    },

    webApps(...unexpected: unknown[]) {
      assertCall('webApps', unexpected[0])
      return mount({ name: 'webApps', make: (other) => other.webApps() }, (next) => webAppsGates(next, parts), refuse)
    },

    oauth(...unexpected: unknown[]) {
      assertCall('oauth', unexpected[0])
      const making: MountMaking = { name: 'oauth', make: (other) => other.oauth() }
      return mount(making, (next) => oauthAreaGates(next, oauth, parts), refuseAtPortal())
    },

    wellKnown(...unexpected: unknown[]) {
      assertCall('wellKnown', unexpected[0])
      assertOpen(running, 'security.wellKnown()')
      return toHandler({ gates: [oauthWellKnownGate(oauth)] }, refuse)
    },

    console(...unexpected: unknown[]) {
      assertCall('console', unexpected[0])
      assertConsole(running.config)
      const making: MountMaking = { name: 'console', portal: managementConsole, make: (other) => other.console() }
      // Who is told that nothing is here must not learn from the page what there is: no name, no logo.
      return mount(making, (next) => consoleGates(next, parts), refuseAtPortal())
    },
  }
}
