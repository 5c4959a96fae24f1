#!/usr/bin/env node
/**
 * The `sallyport` command.
 *
 * @module
 */

import { Command } from 'commander'
import { packageVersion } from '../core/package-version.js'
import { apiTokenCommand } from './api-token.js'
import { auditCommand } from './audit.js'
import { checkCommand } from './check.js'
import { coverageCommand } from './coverage.js'
import { diffCommand } from './diff.js'
import { explainCommand } from './explain.js'
import { hashPasswordCommand } from './hash-password.js'
import { initCommand } from './init.js'
import { keysCommand } from './keys.js'
import { locksCommand, sessionsCommand } from './operators.js'
import { reloadCommand } from './reload.js'
import { secretsCommand } from './secrets.js'
import { serveCommand } from './serve.js'
import { loginCommand, logoutCommand } from './server/sign-in.js'
import { rolesCommand, usersCommand } from './users.js'

const program = new Command('sallyport')
  .description('Tools for a Sallyport configuration.')
  .version(packageVersion)
  .addCommand(initCommand(process, () => process.cwd()))
  .addCommand(checkCommand(process))
  .addCommand(hashPasswordCommand(process))
  .addCommand(usersCommand(process))
  .addCommand(rolesCommand(process))
  .addCommand(secretsCommand(process))
  .addCommand(keysCommand(process))
  .addCommand(apiTokenCommand(process))
  .addCommand(explainCommand(process))
  .addCommand(auditCommand(process))
  .addCommand(diffCommand(process))
  .addCommand(coverageCommand(process, () => process.exit()))

const operators = [serveCommand, loginCommand, logoutCommand, sessionsCommand, locksCommand, reloadCommand]
for (const create of operators) program.addCommand(create(process))

await program.parseAsync()
