/**
 * `sallyport diff`: which requests another configuration lets in or refuses.
 *
 * @module
 */

import { Command } from 'commander'
import { wireSecurity } from '../app/create-security.js'
import { loadConfig } from '../config/load.js'
import { diffConfigs } from '../explain/diff.js'
import { printDiff } from '../explain/diff-output.js'
import { listUncompared } from '../explain/uncompared.js'
import { type CommandProcess, runCommand } from './command.js'

/** Ends with 1 where something is newly let in, and where a key has changed that no request tells. */
export function diffCommand(process: CommandProcess): Command {
  return new Command('diff')
    .description(
      'Compares two configuration files by the requests that they let in. Exit code 1: one is newly let in, or a key has changed that is not compared.',
    )
    .argument('<old>', 'the file of before')
    .argument('<new>', 'the file of after')
    .option('--json', 'print the changes as JSON')
    .allowExcessArguments(false)
    .action((before: string, after: string, { json = false }: { json?: boolean }) =>
      runCommand(process, async () => {
        const [old, next] = await Promise.all([loadConfig(before), loadConfig(after)])
        const changes = await diffConfigs(old, next, wireSecurity)
        const notCompared = listUncompared(old, next)
        if (notCompared.length > 0 || changes.some(({ effect }) => effect === 'let in')) process.exitCode = 1
        const diff = { changes, notCompared }
        return json ? JSON.stringify(diff, undefined, 2) : printDiff(diff, { after })
      }),
    )
}
