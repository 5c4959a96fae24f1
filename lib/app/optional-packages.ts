/**
 * Which optional packages a file needs that are not installed: they are loaded as a start loads them, and nothing is opened.
 *
 * @module
 */

import type { Config } from '../config/config.js'
import { ConfigError, type ConfigProblem } from '../core/errors.js'
import { loadOpenidClient } from '../identity-providers/load-openid-client.js'
import { loadOidcProvider } from '../oauth/authorization-server.js'
import { loadMysql } from '../sql/mysql.js'
import { loadPostgresql } from '../sql/postgresql.js'
import { loadTotp } from '../users/second-factor/totp.js'
import { loadRedisStore } from './shared-store.js'

/** The packages that a start loads, by the key that asks for each. Those of key stores, directories and SQLite come with what is opened. */
export const optionalPackages = {
  oauth: loadOidcProvider as () => Promise<unknown>,
  identityProviders: loadOpenidClient as () => Promise<unknown>,
  secondFactor: async (): Promise<unknown> => [await loadTotp(''), await import('uqr')],
  redis: loadRedisStore as () => Promise<unknown>,
  postgresql: loadPostgresql as () => Promise<unknown>,
  mysql: loadMysql as () => Promise<unknown>,
}

/** What a start would stop with. */
export async function missingPackages(config: Config, loaders = optionalPackages): Promise<readonly ConfigProblem[]> {
  const { oauth, identityProviders, secondFactor, sharedStore, userStore } = config
  const needed = [
    oauth && loaders.oauth,
    identityProviders.length > 0 && loaders.identityProviders,
    secondFactor && loaders.secondFactor,
    sharedStore?.type === 'redis' && loaders.redis,
    sharedStore?.type === 'sql' && driverFor(sharedStore.datasource.url, loaders),
    userStore?.type === 'database' && driverFor(userStore.sql.datasource.url, loaders),
  ].filter((load) => typeof load === 'function')
  const found: ConfigProblem[] = []
  for (const load of new Set(needed)) {
    try {
      await load()
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      found.push(...error.problems)
    }
  }
  return found
}

function driverFor(url: string, { postgresql, mysql }: typeof optionalPackages): (() => Promise<unknown>) | undefined {
  if (/^\s*jdbc:postgres/i.test(url)) return postgresql
  return /^\s*jdbc:(?:mysql|mariadb)/i.test(url) ? mysql : undefined
}
