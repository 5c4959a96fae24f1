/**
 * Codes of authenticator apps (RFC 6238), by `otpauth`.
 *
 * @module
 */

import { ConfigError } from '../../core/errors.js'

/** Makes and checks codes. */
export interface Totp {
  /** A new seed of 160 bits, as RFC 4226 section 4 recommends, in base32. */
  createSecret(): string
  /** The step whose code this is: the present one, the one before, or the one after; `undefined`: none of them. */
  findStep(secret: string, code: string, now: number): number | undefined
  /** What an authenticator app reads. */
  addressOf(secret: string, subject: string): string
}

const periodSeconds = 30

/** `issuer` is the name of the app's entry. @throws `ConfigError` (`ERR_CONFIG_MISSING_PACKAGE`) without the package. */
export async function loadTotp(issuer: string): Promise<Totp> {
  const { Secret, TOTP } = await load()

  const totpFor = (secret: string, label: string) =>
    new TOTP({ issuer, label, secret: Secret.fromBase32(secret), period: periodSeconds })

  return {
    createSecret: () => new Secret({ size: 20 }).base32,

    findStep(secret, code, now) {
      if (!/^\d{6}$/.test(code)) return undefined
      const delta = totpFor(secret, '').validate({ token: code, timestamp: now, window: 1 })
      return delta === null ? undefined : Math.floor(now / (periodSeconds * 1000)) + delta
    },

    addressOf: (secret, subject) => totpFor(secret, subject).toString(),
  }
}

async function load(): Promise<typeof import('otpauth')> {
  try {
    return await import('otpauth')
  } catch (cause) {
    const rule = 'needs optional packages; run: npm install otpauth@9 uqr@0.1'
    throw new ConfigError([{ key: 'second_factor', rule }], { code: 'ERR_CONFIG_MISSING_PACKAGE', cause })
  }
}
