/**
 * `sallyport reload`: a running server reads its configuration file anew, or says what that would do.
 *
 * @module
 */

import { Command } from 'commander'
import { CommandError, type CommandProcess, exitCodes, runCommand } from './command.js'
import { printable, printableJson, printableLines } from './output.js'
import type { Answer } from './server/client.js'
import { addServerOptions, connectServer, type ServerOptions } from './server/connect.js'

interface ReloadOptions extends ServerOptions {
  readonly preview?: boolean
  readonly only?: string
  readonly json?: boolean
}

/** With `--preview` it ends with 1 as `diff` does, and where the file has a mistake. */
export function reloadCommand(process: CommandProcess): Command {
  return addServerOptions(new Command('reload'))
    .description('Has a running server read its configuration file anew. A mistake in it changes nothing.')
    .option('--preview', 'change nothing, and print what a reload would do, as diff does')
    .option('--only <version>', 'take over the file of this preview, and no other')
    .option('--json', 'print JSON: what GET /reload or POST /reload answers')
    .allowExcessArguments(false)
    .action((options: ReloadOptions) =>
      runCommand(process, async () => {
        const { preview = false, only: version, json = false } = options
        if (preview && version !== undefined) {
          throw new CommandError('Write --preview or --only, not both.', exitCodes.usage)
        }
        const server = connectServer(options, process)
        if (!preview) {
          const body = version === undefined ? undefined : { version }
          const outcome = await server.call('POST', '/reload', { body })
          return json ? printableJson(outcome) : describeReload(outcome)
        }
        const answer = await server.call('GET', '/reload')
        if (isToBeLookedAt(answer)) process.exitCode = exitCodes.failed
        return json ? printableJson(answer) : describePreview(answer)
      }),
    )
}

function describeReload({ changed, atNextStart }: Answer): string {
  const later = listed(atNextStart)
  return [
    listed(changed) === '' ? 'Reloaded. The file says what it said before.' : `Reloaded. Changed: ${listed(changed)}.`,
    ...(later === '' ? [] : [`At the next start only: ${later}.`]),
  ].join('\n')
}

function isToBeLookedAt({ problems, widened, notCompared, isComplete }: Answer): boolean {
  const hasEntries = [problems, notCompared].some((list) => Array.isArray(list) && list.length > 0)
  return hasEntries || widened !== 0 || isComplete !== true
}

function describePreview({ file, version, isChanged, problems, changed, atNextStart, diff }: Answer): string {
  const mistakes = Array.isArray(problems) ? problems.map(describeProblem) : []
  if (mistakes.length > 0) return ['A reload would be refused:', ...mistakes].join('\n')
  const [now, later] = [listed(changed), listed(atNextStart)]
  if (isChanged === false && now === '' && later === '') {
    return `${printable(textOf(file))} is unchanged. A reload would only read anew the files that it names, such as keys.`
  }
  return [
    now === '' ? `${printable(textOf(file))} says what it said before.` : `Changed: ${now}.`,
    ...(later === '' ? [] : [`At the next start only: ${later}.`]),
    '',
    printableLines(textOf(diff)),
    '',
    `Take it over: npx sallyport reload --only ${printable(textOf(version))}`,
  ].join('\n')
}

function describeProblem(problem: unknown): string {
  const { key, rule, position, suggestion } = Object(problem) as Answer
  const { file, line, column } = Object(position) as Answer
  const where = line === undefined ? '' : `${textOf(file)}:${textOf(line)}:${textOf(column)} `
  const hint = suggestion === undefined ? '' : `; did you mean ${textOf(suggestion)}?`
  return printable(`${where}${textOf(key)}: ${textOf(rule)}${hint}`)
}

/** A server may answer anything. */
function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}

function listed(names: unknown): string {
  return Array.isArray(names) ? printable(names.filter((name) => typeof name === 'string').join(', ')) : ''
}
