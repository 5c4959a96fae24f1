/**
 * The pages of the site, in the order of its sidebar.
 *
 * @module
 */

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The folder of the pages, with a slash at its end. */
export const docsFolder: string = fileURLToPath(new URL('..', import.meta.url))

/** Pages that are made before the build, by the file that each is a copy of. */
export const copiedPages: ReadonlyMap<string, string> = new Map([
  ['SECURITY.md', 'reference/security.md'],
  ['CHANGELOG.md', 'reference/changelog.md'],
])

/** Pages by group; those below `reference/` are generated. */
export const groups: Readonly<Record<string, readonly string[]>> = {
  Start: ['quick-start.md', 'choose.md'],
  Tasks: [
    'proxies.md',
    'instances.md',
    'users.md',
    'sign-in.md',
    'portals.md',
    'second-factor.md',
    'oauth.md',
    'mcp.md',
    'single-page-apps.md',
    'command-line-clients.md',
    'machines.md',
    'sockets.md',
    'containers.md',
    'tls-and-secrets.md',
    'http2.md',
    'nestjs.md',
    'middleware.md',
    'testing.md',
    'operating.md',
    'audit.md',
    'metrics.md',
  ],
  Migration: [
    'migrate-passport.md',
    'migrate-jwt.md',
    'migrate-openid-connect.md',
    'migrate-ipfilter.md',
    'migrate-wso2.md',
  ],
  Reference: [
    'configuration.md',
    'check.md',
    'errors.md',
    'reference/api/README.md',
    'reference/security.md',
    'security-requirements.md',
    'wso2.md',
    'performance.md',
    'release.md',
    'reference/changelog.md',
  ],
}

/** The first heading of a page. */
export function readTitle(page: string): string {
  const title = /^# (.+)$/m.exec(readFileSync(docsFolder + page, 'utf8'))?.[1]
  if (title === undefined) throw new Error(`docs/${page} has no heading`)
  return title.replaceAll('`', '')
}
