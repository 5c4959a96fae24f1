/**
 * Which names, passwords and roles a store takes.
 *
 * @module
 */

import { ConfigError, type ConfigProblem } from '../../core/errors.js'
import { javaRegex } from '../../internal/java-regex.js'
import { isPassword, isUserName } from '../credential-limits.js'
import { UserStoreRefusal } from '../managed-user-store.js'
import type { RoleName } from './role-name.js'

/** Patterns of `[user_store]`, each for a whole text and written for Java. */
export interface StorePatterns {
  /** `username_java_regex`. @defaultValue `'^[\\S]{3,30}$'` */
  readonly userNamePattern?: string | undefined
  /** `password_java_regex`. @defaultValue `'^[\\S]{5,30}$'` */
  readonly passwordPattern?: string | undefined
  /** `rolename_java_regex`. @defaultValue `'^[\\S]{3,30}$'` */
  readonly roleNamePattern?: string | undefined
}

/** Tells what may be written; `checkX` throws {@link UserStoreRefusal}. */
export interface StoreRules {
  readonly isUserName: (name: string) => boolean
  readonly isPassword: (password: string) => boolean
  checkUserName(name: string): void
  checkPassword(password: string): void
  checkRoleName(role: RoleName): void
}

const namePattern = '^[\\S]{3,30}$'

/** WSO2's own account for callers without a name. */
const anonymousUser = 'wso2.anonymous.user'

/**
 * Makes the rules.
 *
 * @throws {@link ConfigError} naming each pattern that JavaScript cannot read.
 */
export function storeRules(patterns: StorePatterns, domain: string): StoreRules {
  const problems: ConfigProblem[] = []
  const compile = (key: string, pattern: string): ((text: string) => boolean) => {
    try {
      return javaRegex(pattern)
    } catch {
      problems.push({ key: `user_store.${key}`, rule: 'must be a regular expression that JavaScript can read' })
      return () => false
    }
  }
  const matchesUserName = compile('username_java_regex', patterns.userNamePattern ?? namePattern)
  const matchesPassword = compile('password_java_regex', patterns.passwordPattern ?? '^[\\S]{5,30}$')
  const matchesRoleName = compile('rolename_java_regex', patterns.roleNamePattern ?? namePattern)
  if (problems.length > 0) throw new ConfigError(problems)

  // A name that begins like a domain of ours could not be asked for: the domain would be taken off.
  const beginsWithDomain = (name: string): boolean => {
    const before = name.split('/', 1)[0]!.toUpperCase()
    return name.includes('/') && (before === domain || before === 'PRIMARY')
  }
  const isKnownUserName = (name: string): boolean =>
    isUserName(name) && matchesUserName(name) && name.toLowerCase() !== anonymousUser
  const isGoodPassword = (password: string): boolean => isPassword(password) && matchesPassword(password)

  return {
    isUserName: isKnownUserName,
    isPassword: isGoodPassword,
    checkUserName(name) {
      // HTTP Basic ends a name at the first colon (RFC 7617 section 2).
      if (typeof name === 'string' && isKnownUserName(name) && !name.includes(':') && !beginsWithDomain(name)) return
      throw new UserStoreRefusal('invalid-name', 'The user name is not allowed.')
    },
    checkPassword(password) {
      if (typeof password === 'string' && isGoodPassword(password)) return
      throw new UserStoreRefusal('invalid-password', 'The password is not allowed.')
    },
    checkRoleName({ full, isInternal }) {
      const name = isInternal ? full.slice(full.indexOf('/') + 1) : full
      if (isUserName(full) && matchesRoleName(name) && !beginsWithDomain(full)) return
      throw new UserStoreRefusal('invalid-name', 'The role name is not allowed.')
    },
  }
}
