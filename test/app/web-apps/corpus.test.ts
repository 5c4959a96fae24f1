import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { portalAddressGates, webAppsGates } from '../../../lib/app/web-apps.js'
import { parseConfig } from '../../../lib/config/parse.js'
import { toHandler } from '../../../lib/http/gate.js'
import {
  type AddressCourt,
  addressEntries,
  expectedOutcome,
  type HandlerOfList,
  openAddressCourt,
  quiet,
} from '../../helpers/ip-corpus.js'

const env = {}

/** How each control is given the list of an entry. */
const controls: Readonly<Record<string, HandlerOfList>> = {
  '[admin_console.control_access]': (allow) => {
    const config = parseConfig({ admin_console: { control_access: { enable: true, allow } } }, { env })
    const portal = config.portals.find(({ name }) => name === 'management_console')!
    return toHandler({ gates: portalAddressGates(config, portal, { logger: quiet }) })
  },
  '[web_app.control_access]': (allow) => {
    const config = parseConfig({ web_app: { control_access: { enable: true, allow } } }, { env })
    return toHandler({ gates: webAppsGates(config, { logger: quiet }) })
  },
  '[[servlet_access_control_filter]]': (allow) => {
    const isText = allow.every((item) => typeof item === 'string')
    const row = { filter_name: 'f', url_pattern: '/', allow_ip_regex: isText ? allow.join('|') : allow[0] }
    const config = parseConfig({ servlet_access_control_filter: [row] }, { env })
    return toHandler({ gates: webAppsGates(config, { logger: quiet }) })
  },
}

/** Where these controls differ from lists of networks alone. */
const deviations: Readonly<Record<string, string>> = {
  // An expression is an expression here.
  'rule-regex': 'allow',
}

// Covers: F01 F02 F03 F04 F06
describe.each(Object.entries(controls))('ip-corpus.json in %s', (_name, handlerOfList) => {
  let court: AddressCourt

  beforeAll(async () => {
    court = await openAddressCourt()
  })
  afterAll(() => court[Symbol.asyncDispose]())

  it.each(addressEntries.map((entry) => [entry.id, entry.note, entry] as const))('%s: %s', async (id, _note, entry) => {
    expect(await court.outcomeOf(entry, handlerOfList)).toBe(deviations[id] ?? expectedOutcome(entry))
  })
})
