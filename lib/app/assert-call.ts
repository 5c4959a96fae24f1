/**
 * Refuses calls of a front's methods that JavaScript would take without a word.
 *
 * @module
 */

import { nearest } from '../internal/near-miss.js'

interface CallRules {
  /** How the method is called. */
  readonly example: string
  /** Each option with the type that `typeof` names. */
  readonly options: Readonly<Record<string, 'boolean' | 'function' | 'object' | 'string'>>
}

/** What the methods of a front take. */
const calls: Readonly<Record<string, CallRules>> = {
  managementApi: {
    example: "app.use('/management', security.managementApi(), routes)",
    options: { resources: 'boolean' },
  },
  portal: {
    example: "app.use('/carbon', security.portal('management_console'), routes)",
    options: { loginPage: 'function' },
  },
  webApps: { example: 'app.use(security.webApps())', options: {} },
  oauth: { example: "app.use('/oauth2', security.oauth())", options: {} },
  createServer: { example: 'security.createServer(app).listen(9201)', options: { protocol: 'string', tls: 'object' } },
}

/** How a method is mounted. */
export function exampleOf(name: string): string {
  return calls[name]!.example
}

/** @throws TypeError for a method that was mounted without being called, an unknown option, and one of another type. */
export function assertCall(name: string, options: unknown): void {
  if (options === undefined) return
  const { example, options: known } = calls[name]!
  const method = `security.${name}`
  if (isRequest(options)) throw new TypeError(`${method} was mounted without being called; write ${example}`)
  if (typeof options !== 'object' || options === null)
    throw new TypeError(`the options of ${method}() must be an object`)
  for (const [option, value] of Object.entries(options)) {
    const type = Object.hasOwn(known, option) ? known[option] : undefined
    if (type === undefined) {
      const suggestion = nearest(option, Object.keys(known))
      throw new TypeError(`${method}() has no option "${option}"${suggestion ? `; did you mean "${suggestion}"?` : ''}`)
    }
    if (value !== undefined && typeof value !== type) {
      throw new TypeError(`the option "${option}" of ${method}() must be of type ${type}, got ${typeof value}`)
    }
  }
}

/** Express calls a handler with the request first. */
function isRequest(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'rawHeaders' in value && 'baseUrl' in value
}
