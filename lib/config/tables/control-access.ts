/**
 * The `control_access` tables: which addresses may call.
 *
 * @module
 */

import { addressList } from '../../internal/address-list.js'
import { parseNetwork } from '../../internal/network.js'
import { type Field, field, flag, type Refuse, refuseAt, table } from '../fields.js'

const network = field((value, refuse) => {
  if (typeof value !== 'string') return refuse('must be an address or a network in quotes, such as "10.0.0.0/8"')
  try {
    parseNetwork(value)
    return value
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    return refuse('must be an address or a network, such as "10.0.0.0/8"', ` (${error.message})`)
  }
})

/** A list of addresses and networks. */
export const networks: Field<string[]> = field((value, refuse) =>
  Array.isArray(value) ? value : refuse('must be a list of addresses and networks, such as ["10.0.0.0/8", "::1"]'),
).pipe(network.array())

/** `[management_api.control_access]`: the networks that may call; `undefined` when it is not enabled. */
export const managementAccessTable: Field<string[] | undefined> = table({
  enable: flag.prefault(false),
  allow: networks.optional(),
}).transform(({ enable, allow }, context) => {
  if (enable && allow === undefined) refuseAt(context, ['allow'], 'must list the networks that may call')
  return enable ? (allow ?? []) : undefined
})

/**
 * Reads an item of a list of addresses: an address, a network, or a regular expression for addresses.
 *
 * @returns The item as it is written.
 */
export function checkAddressItem(value: unknown, refuse: Refuse): string {
  const rule = 'must be an address, a network or an expression in quotes, such as "10.0.0.0/8"'
  if (typeof value !== 'string') return refuse(rule)
  try {
    addressList([value])
    return value
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    return refuse(rule, ` (${error.message})`)
  }
}

/** A list of addresses, networks and regular expressions for addresses. */
export const addressItems: Field<string[]> = field((value, refuse) =>
  Array.isArray(value) ? value : refuse('must be a list of addresses and networks, such as ["10.0.0.0/8", "::1"]'),
).pipe(field(checkAddressItem).array())

/**
 * `[admin_console.control_access]` and `[web_app.control_access]`: who may call; `undefined` when it is not enabled.
 * WSO2 leaves access open for a quoted `"true"`; here it counts.
 */
export const portalAccessTable: Field<string[] | undefined> = table({
  enable: flag.prefault(false),
  allow: addressItems.optional(),
}).transform(({ enable, allow }, context) => {
  if (enable && allow === undefined) refuseAt(context, ['allow'], 'must list the addresses that may call')
  return enable ? (allow ?? []) : undefined
})
