/**
 * Finds users whose password anybody would try first.
 *
 * @module
 */

import type { FileUserConfig } from '../config/config.js'
import { checkPasswordHash, isPasswordHash, verifyPassword } from './password-hash.js'

/** Passwords that come with products or are the first of every list; matched without regard to case. */
const wellKnown: ReadonlySet<string> = new Set([
  'abc123',
  'admin',
  'admin1',
  'admin123',
  'admin1234',
  'admin@123',
  'administrator',
  'changeit',
  'changeme',
  'default',
  'guest',
  'iloveyou',
  'letmein',
  'p@ssw0rd',
  'p@ssword',
  'passw0rd',
  'password',
  'password1',
  'password123',
  'qwerty',
  'qwerty123',
  'root',
  'secret',
  'test',
  'test123',
  'toor',
  'user',
  'welcome',
  'welcome1',
  'wso2',
  'wso2carbon',
  '111111',
  '12345',
  '123456',
  '12345678',
  '123456789',
  '1234567890',
])

/**
 * Names of the users with a well-known password, or one that is their own name.
 *
 * A hash is tried for the user `admin` only, and only with the password `admin`: this runs at each start, and each try costs
 * a login's work.
 */
export async function defaultCredentialProblems(users: readonly FileUserConfig[]): Promise<readonly string[]> {
  const names: string[] = []
  for (const { name, password } of users) {
    if (await isDefault(name.toLowerCase(), password)) names.push(name)
  }
  return names
}

async function isDefault(name: string, password: string): Promise<boolean> {
  if (!isPasswordHash(password)) {
    const folded = password.toLowerCase()
    return folded === name || wellKnown.has(folded)
  }
  return name === 'admin' && checkPasswordHash(password) === undefined && verifyPassword('admin', password)
}
