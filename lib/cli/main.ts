#!/usr/bin/env node
/**
 * The `sallyport` command.
 *
 * @module
 */

import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { hashPasswordCommand } from './hash-password.js'
import { usersCommand } from './users.js'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

const program = new Command('sallyport')
  .description('Tools for a Sallyport configuration.')
  .version(version)
  .addCommand(hashPasswordCommand(process))
  .addCommand(usersCommand(process))

await program.parseAsync()
