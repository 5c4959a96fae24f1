/** Runs one command in this process, with nothing loaded but what it needs. */

import type { Command } from 'commander'
import type { CommandProcess } from '../../lib/cli/command.js'

export interface CommandOutcome {
  readonly code: number | string
  readonly stdout: string
  readonly stderr: string
}

/** `changes`: what of its process is otherwise; what is written to `stderr` there is for the caller. */
export async function runOne(
  create: (process: CommandProcess) => Command,
  args: readonly string[],
  changes: Partial<CommandProcess> = {},
): Promise<CommandOutcome> {
  const [out, err] = [[] as string[], [] as string[]]
  const ended = new Error('exit')
  const process = {
    stdout: { write: (text: string) => out.push(text) },
    stderr: { write: (text: string) => err.push(text) },
    exitCode: undefined,
    exit(code: number): never {
      process.exitCode = code
      throw ended
    },
    ...changes,
  } as unknown as CommandProcess
  const command = create(process).configureOutput({ writeErr: (text) => err.push(text) })
  await command.parseAsync(args, { from: 'user' }).catch((error: unknown) => {
    if (error !== ended) throw error
  })
  return { code: process.exitCode ?? 0, stdout: out.join(''), stderr: err.join('') }
}
