/**
 * Opens the users of the configuration itself.
 *
 * @module
 */

import { dirname } from 'node:path'
import type { Config, FileUserConfig, FileUsersConfig } from '../config/config.js'
import { ConfigError } from '../core/errors.js'
import { defaultCredentialProblems } from './default-credentials.js'
import { fileUserStore } from './file-user-store.js'
import { createInitialAdmin, type InitialAdmin } from './initial-admin.js'
import type { OpenUserStore, OpenUserStoreOptions } from './open-user-store.js'

/**
 * Opens the file users, with a first admin when there is none.
 *
 * @throws {@link ConfigError} when a hash is broken, or when a well-known name and password would reach production.
 */
export async function openFileUsers(config: Config, options: OpenUserStoreOptions): Promise<OpenUserStore> {
  let firstAdmin: InitialAdmin | undefined

  /** The users, and what there is to warn of. */
  async function readUsers({ fileUsers, managementApi, path }: Config): Promise<ReadUsers> {
    if (!managementApi.isJwtEnabled && !managementApi.isBasicEnabled) return { users: [], warnings: [] }
    const warnings = await checkDefaultCredentials(fileUsers, options)
    if (fileUsers.users.length > 0) return { users: fileUsers.users, warnings }
    if (firstAdmin !== undefined) return { users: [firstAdmin], warnings }
    firstAdmin = await createInitialAdmin({ directory: path === undefined ? (options.home ?? '.') : dirname(path) })
    const { passwordFile } = firstAdmin
    const notice = passwordFile && `no user is configured: the password of "admin" is in ${passwordFile}`
    return { users: [firstAdmin], warnings: notice === undefined ? warnings : [...warnings, notice] }
  }

  function logWarnings(warnings: readonly string[]): void {
    for (const text of [...warnings, ...plainTextWarnings(users.plainTextUsers)]) {
      options.logger.warn({ key: 'internal_apis.users' }, text)
    }
  }

  const initial = await readUsers(config)
  const users = await fileUserStore({ users: initial.users })
  logWarnings(initial.warnings)

  return {
    users,
    async prepare(next) {
      const read = await readUsers(next)
      const swap = await users.prepare(read.users)
      return { swap, log: () => logWarnings(read.warnings) }
    },
  }
}

interface ReadUsers {
  readonly users: readonly FileUserConfig[]
  readonly warnings: readonly string[]
}

async function checkDefaultCredentials(
  { users, allowDefaultCredentials }: FileUsersConfig,
  { env }: OpenUserStoreOptions,
): Promise<readonly string[]> {
  const names = await defaultCredentialProblems(users)
  if (names.length === 0) return []
  const ruleFor = (name: string) => `a well-known password lets anybody in as ${name}: change it`
  if (env['NODE_ENV'] === 'production' && !allowDefaultCredentials) {
    const remedy = 'or set internal_apis.allow_default_credentials = true'
    throw new ConfigError(
      names.map((name) => ({ key: passwordKeyOf(name, users), rule: `${ruleFor(name)}, ${remedy}` })),
    )
  }
  return [`SECURITY: ${ruleFor(names.join(', '))}`]
}

function passwordKeyOf(name: string, users: readonly FileUserConfig[]): string {
  return `internal_apis.users[${users.findIndex((user) => user.name === name)}].user.password`
}

function plainTextWarnings(names: readonly string[]): readonly string[] {
  if (names.length === 0) return []
  return [
    `passwords of ${names.join(', ')} are in plain text: put hashes in their place, in secrets too; "sallyport hash-password" makes them`,
  ]
}
