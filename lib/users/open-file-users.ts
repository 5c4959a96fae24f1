/**
 * Opens the users of the configuration itself.
 *
 * @module
 */

import { dirname } from 'node:path'
import type { Config, FileUserConfig, FileUsersConfig } from '../config/config.js'
import { ConfigError } from '../core/errors.js'
import type { Logger } from '../core/logger.js'
import { defaultCredentialProblems } from './default-credentials.js'
import { fileUserStore } from './file-user-store.js'
import { createInitialAdmin } from './initial-admin.js'
import type { OpenUserStore, OpenUserStoreOptions } from './open-user-store.js'

/**
 * Opens the file users, with a first admin when there is none.
 *
 * @throws {@link ConfigError} when a hash is broken, or when a well-known name and password would reach production.
 */
export async function openFileUsers(config: Config, options: OpenUserStoreOptions): Promise<OpenUserStore> {
  let firstAdmin: FileUserConfig | undefined

  async function usersOf({ fileUsers, managementApi, path }: Config): Promise<readonly FileUserConfig[]> {
    if (!managementApi.isJwtEnabled && !managementApi.isBasicEnabled) return []
    await checkDefaultCredentials(fileUsers, options)
    if (fileUsers.users.length > 0) return fileUsers.users
    firstAdmin ??= await createFirstAdmin(path === undefined ? (options.home ?? '.') : dirname(path), options.logger)
    return [firstAdmin]
  }

  const users = await fileUserStore({ users: await usersOf(config) })
  warnOfPlainText(users.plainTextUsers, options.logger)

  return {
    users,
    async reload(next) {
      await users.replace(await usersOf(next))
      warnOfPlainText(users.plainTextUsers, options.logger)
    },
  }
}

async function createFirstAdmin(directory: string, logger: Logger): Promise<FileUserConfig> {
  const admin = await createInitialAdmin({ directory })
  const { passwordFile } = admin
  if (passwordFile !== undefined) {
    logger.warn({ key: 'internal_apis.users' }, `no user is configured: the password of "admin" is in ${passwordFile}`)
  }
  return admin
}

async function checkDefaultCredentials(
  { users, allowDefaultCredentials }: FileUsersConfig,
  options: OpenUserStoreOptions,
): Promise<void> {
  const names = await defaultCredentialProblems(users)
  if (names.length === 0) return
  const ruleFor = (name: string) => `a well-known password lets anybody in as ${name}: change it`
  if (options.env['NODE_ENV'] === 'production' && !allowDefaultCredentials) {
    const remedy = 'or set internal_apis.allow_default_credentials = true'
    throw new ConfigError(
      names.map((name) => ({ key: passwordKeyOf(name, users), rule: `${ruleFor(name)}, ${remedy}` })),
    )
  }
  options.logger.warn({ key: 'internal_apis.users' }, `SECURITY: ${ruleFor(names.join(', '))}`)
}

function passwordKeyOf(name: string, users: readonly FileUserConfig[]): string {
  return `internal_apis.users[${users.findIndex((user) => user.name === name)}].user.password`
}

function warnOfPlainText(names: readonly string[], logger: Logger): void {
  if (names.length === 0) return
  const message = `passwords of ${names.join(', ')} are in plain text: put hashes in their place, in secrets too; "sallyport hash-password" makes them`
  logger.warn({ key: 'internal_apis.users' }, message)
}
