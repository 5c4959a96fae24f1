/** Runs commands in this process, as a shell would. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { Command } from 'commander'
import { onTestFinished } from 'vitest'
import { auditCommand } from '../../lib/cli/audit.js'
import type { CommandProcess } from '../../lib/cli/command.js'
import { locksCommand, sessionsCommand } from '../../lib/cli/operators.js'
import { reloadCommand } from '../../lib/cli/reload.js'
import { loginCommand, logoutCommand } from '../../lib/cli/server/sign-in.js'
import { rolesCommand, usersCommand } from '../../lib/cli/users.js'

const creators = [
  auditCommand,
  loginCommand,
  logoutCommand,
  sessionsCommand,
  locksCommand,
  reloadCommand,
  usersCommand,
  rolesCommand,
]

export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface Shell {
  /** The folder of the user's settings. */
  readonly home: string
  readonly env: NodeJS.ProcessEnv
  /** Runs a command without `sallyport` before it. `input`: its standard input. */
  run(
    line: string | readonly string[],
    options?: { readonly input?: string; readonly isTTY?: boolean },
  ): Promise<Outcome>
  /** The same on a terminal, where each line is typed when it is asked for. */
  type(line: string, typed: readonly string[]): Promise<Outcome>
}

/** A user of this machine with nothing signed in, until the test ends. */
export function openShell(): Shell {
  const home = mkdtempSync(join(tmpdir(), 'sallyport-home-'))
  onTestFinished(() => rmSync(home, { recursive: true }))
  const env: NodeJS.ProcessEnv = { XDG_CONFIG_HOME: home }
  async function runIn(line: string | readonly string[], stdin: PassThrough, isTTY: boolean, onAsked?: () => void) {
    const [out, err] = [[] as string[], [] as string[]]
    const write = (text: string): void => {
      err.push(text)
      if (text.endsWith(': ')) onAsked?.()
    }
    const process = {
      env,
      stdin: stdin as unknown as NodeJS.ReadStream,
      stdout: { isTTY, write: (text: string) => out.push(text) },
      stderr: { isTTY, write } as unknown as NodeJS.WritableStream,
    } as CommandProcess
    const program = new Command('sallyport').exitOverride().configureOutput({ writeErr: (text) => err.push(text) })
    for (const create of creators) program.addCommand(create(process).copyInheritedSettings(program))
    await program.parseAsync(typeof line === 'string' ? line.split(' ') : line, { from: 'user' })
    return { code: Number(process.exitCode ?? 0), stdout: out.join(''), stderr: err.join('') }
  }

  return {
    home,
    env,
    run(line, { input = '', isTTY = false } = {}) {
      const stdin = Object.assign(new PassThrough(), { isTTY: false })
      stdin.end(input)
      return runIn(line, stdin, isTTY)
    },
    type(line, typed) {
      const lines = [...typed]
      const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined })
      return runIn(line, stdin, true, () => stdin.write(`${lines.shift() ?? '\u0004'}\r`))
    },
  }
}
