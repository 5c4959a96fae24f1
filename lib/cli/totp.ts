/**
 * `sallyport users totp`: sets up the second factor of a user, or lets the user do it.
 *
 * @module
 */

import type { Command } from 'commander'
import { openSecondFactors } from '../app/second-factor.js'
import type { Config } from '../config/config.js'
import { loadConfig } from '../config/load.js'
import { localValues } from '../core/shared-values.js'
import { isManagedUserStore } from '../users/managed-user-store.js'
import { openUserStore } from '../users/open-user-store.js'
import { fileSecondFactors } from '../users/second-factor/second-factor-store.js'
import { createSecondFactors, type SecondFactors } from '../users/second-factor/second-factors.js'
import { loadTotp } from '../users/second-factor/totp.js'
import { CommandError, type CommandProcess } from './command.js'
import { printable } from './output.js'
import { addConfigCommand, createCommandEvents, operatorFields } from './store-command.js'

/** How long a setup code is good. */
const setupLifeMs = 24 * 60 * 60 * 1000

interface TotpOptions {
  readonly setup?: boolean
  readonly unlock?: boolean
  readonly remove?: boolean
}

export function addTotpCommand(users: Command, process: CommandProcess): void {
  const events = createCommandEvents(process)
  const description = 'Sets up a second factor: prints its otpauth:// text, a QR code and recovery codes.'
  addConfigCommand(users, process, { usage: 'totp <name>', description }, async (path, logger, command) => {
    const [name = ''] = command.args
    const config = await loadConfig(path)
    if (config.fileUsers.isEnabled) return forFileUser(config, path, name)
    const secondFactors = await openSecondFactors(config, { current: () => config, clock: Date.now })
    if (secondFactors === undefined) {
      throw new CommandError(
        `${path}: write [second_factor] key = "$secret{second_factor}" first, and run "users init".`,
      )
    }
    const { users: store } = await openUserStore(config, { logger, home: undefined, env: {} })
    try {
      const options = command.opts<TotpOptions>()
      const found = isManagedUserStore(store) ? (await store.find(name))?.subject : undefined
      // Also of a user who is gone.
      const subject = options.remove ? (found ?? name) : found
      if (subject === undefined) throw new CommandError(`There is no enabled user ${printable(name)}.`)
      const { text, change } = await work(secondFactors, subject, options)
      events.report('secondFactorChanged', { ...operatorFields(), subject, change })
      return text
    } finally {
      await Promise.all([secondFactors.close(), store.close()])
    }
  })
    .option('--setup', 'print a code, good for a day, with which the user sets it up at the next sign-in')
    .option('--unlock', 'end the locks of wrong codes')
    .option('--remove', 'forget the second factor')
}

async function work(
  secondFactors: SecondFactors,
  subject: string,
  { setup, unlock, remove }: TotpOptions,
): Promise<{ readonly text: string; readonly change: 'assigned' | 'invited' | 'unlocked' | 'removed' }> {
  const name = printable(subject)
  if (unlock) {
    await secondFactors.unlock(subject)
    return { text: `Unlocked ${name}.`, change: 'unlocked' }
  }
  if (remove) {
    await secondFactors.remove(subject)
    return { text: `${name} has no second factor any more.`, change: 'removed' }
  }
  if ((await secondFactors.statusOf(subject)) === 'enrolled') {
    const first = `run "users totp ${name} --remove" first`
    throw new CommandError(`${name} has a second factor, which this would end: ${first}.`)
  }
  if (setup) {
    const code = await secondFactors.createEnrolmentCode(subject, setupLifeMs)
    return { text: `Setup code of ${name}, good once and for 24 hours:\n\n  ${code}`, change: 'invited' }
  }
  const { address, recoveryCodes } = await secondFactors.assign(subject)
  const codes = recoveryCodes.map((code) => `  ${code}`).join('\n')
  return { text: `${await shown(address)}\n\nRecovery codes, each good once:\n\n${codes}`, change: 'assigned' }
}

/** Nothing is written: the seed belongs into a secret. */
async function forFileUser({ fileUsers, secondFactor }: Config, path: string, name: string): Promise<string> {
  if (!fileUsers.users.some((user) => user.name === name.normalize('NFC'))) {
    throw new CommandError(`${path}: there is no user ${printable(name)} in [[internal_apis.users]].`)
  }
  const totp = await loadTotp(secondFactor?.issuer ?? 'Sallyport')
  const { secret, address } = createSecondFactors(
    fileSecondFactors(() => undefined, localValues()),
    totp,
    Date.now,
  ).createSecret(name)
  const line = 'user.totp = "$secret{...}"'
  return `${await shown(address)}\n\nStore the seed as a secret, and name it beside the user's password, as ${line}:\n\n  ${secret}`
}

async function shown(address: string): Promise<string> {
  const { renderUnicodeCompact } = await import('uqr')
  return `${renderUnicodeCompact(address, { border: 2 })}\n\n${address}`
}
