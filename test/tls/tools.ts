/** The tools that operators make key stores with, and look at servers with. */

import { type ExecFileException, execFile } from 'node:child_process'

/** What a program wrote, and its exit code. */
export interface Outcome {
  readonly code: number
  /** Standard output and standard error. */
  readonly output: string
}

const hangMs = 55_000

/** Runs a program without input to its end. */
export function run(program: string, args: readonly string[], cwd?: string): Promise<Outcome> {
  return new Promise((resolve) => {
    const done = (error: ExecFileException | null, stdout: string, stderr: string): void =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), output: stdout + stderr })
    const child = execFile(program, args, { cwd, timeout: hangMs, encoding: 'utf8' }, done)
    child.stdin?.end()
  })
}

/** Runs a program that has to succeed. */
export async function make(folder: string, program: string, ...args: readonly string[]): Promise<void> {
  const { code, output } = await run(program, args, folder)
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}: ${output}`)
}
