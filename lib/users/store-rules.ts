/**
 * Which names, passwords and roles a store takes.
 *
 * @module
 */

import { ConfigError, type ConfigProblem } from '../core/errors.js'
import { javaRegex } from '../core/java-regex.js'
import { UserChangeError } from './managed-user-store.js'
import type { RoleName } from './names.js'
import { isPassword, isUserName } from './user-store.js'

/** Patterns of `[user_store]`, each for a whole text and written for Java. */
export interface StorePatterns {
  /** `username_java_regex`. @defaultValue `'^[\\S]{3,30}$'` */
  readonly userNamePattern?: string | undefined
  /** `password_java_regex`. @defaultValue `'^[\\S]{5,30}$'`; for our own tables 8 to 128 characters of any kind */
  readonly passwordPattern?: string | undefined
  /** `password_java_regex_violation_error_msg`: said of a password that the pattern does not allow. */
  readonly passwordMessage?: string | undefined
  /** `rolename_java_regex`. @defaultValue `'^[\\S]{3,30}$'` */
  readonly roleNamePattern?: string | undefined
}

export type StoreRules = ReturnType<typeof storeRules>

const namePattern = '^[\\S]{3,30}$'

const hasRest = /\/.*\S/

const passwordRule = 'it must have 5 to 30 characters and no blanks'

/** NIST SP 800-63B section 3.1.1.2: at least 8 characters, 64 and more allowed, blanks and every script. */
const ownPasswordRule = 'it must have 8 to 128 characters'

function isOwnPassword(password: string): boolean {
  const { length } = [...password.normalize('NFC')]
  return length >= 8 && length <= 128
}

/** WSO2's own account for callers without a name. */
const anonymousUser = 'wso2.anonymous.user'

/**
 * Tells what may be written; `checkX` throws {@link UserChangeError}.
 *
 * @throws `ConfigError` naming each pattern that JavaScript cannot read.
 */
export function storeRules(patterns: StorePatterns, domain: string) {
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

  return {
    isUserName: isKnownUserName,
    isPassword: (password: string): boolean => isPassword(password) && matchesPassword(password),

    checkUserName(name: string): void {
      // HTTP Basic ends a name at the first colon (RFC 7617 section 2).
      if (typeof name === 'string' && isKnownUserName(name) && !name.includes(':') && !beginsWithDomain(name)) return
      throw new UserChangeError('invalid-name', 'The user name is not allowed.')
    },

    /** `isOwn`: for the package's own tables, whose rule is another one while the file has none. */
    checkPassword(password: string, isOwn = false): void {
      const isOwnRule = isOwn && patterns.passwordPattern === undefined
      const isAllowed = isOwnRule ? isOwnPassword : matchesPassword
      if (typeof password === 'string' && isPassword(password) && isAllowed(password)) return
      const written = patterns.passwordPattern === undefined ? passwordRule : 'password_java_regex does not match it'
      const rule = isOwnRule ? ownPasswordRule : patterns.passwordMessage || written
      throw new UserChangeError('invalid-password', `The password is not allowed: ${rule}.`)
    },

    checkRoleName({ full, isInternal }: RoleName): void {
      // As with WSO2, the pattern is for the store's own roles.
      if (isUserName(full) && (isInternal ? hasRest.test(full) : matchesRoleName(full)) && !beginsWithDomain(full))
        return
      throw new UserChangeError('invalid-name', 'The role name is not allowed.')
    },
  }
}
