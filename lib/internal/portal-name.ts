/**
 * Names of portals.
 *
 * @module
 */

/** The portal of the operators, which keeps to itself: it has rules by address and a login of its own. */
export const managementConsole = 'management_console'

/** `sso` is the name of the cookie of the sign-on that portals share. */
const portalName = /^(?!sso$)[A-Za-z0-9_-]{1,64}$/

/** What {@link isPortalName} demands. */
export const portalNameRule = 'must be 1 to 64 letters, digits, _ and -, and not sso'

/** Whether a text can be the name of a portal. It becomes part of a cookie's name and of what session ids are made of. */
export function isPortalName(name: unknown): name is string {
  return typeof name === 'string' && portalName.test(name)
}
