/**
 * Asks for a secret on a terminal.
 *
 * @module
 */

import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'

/**
 * Writes the question and reads one line without showing what is typed. The end of the input gives an empty text; Ctrl-C
 * ends the process as it does everywhere.
 */
export function askHidden(
  question: string,
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const terminal = createInterface({ input, output: nowhere, terminal: true, historySize: 0 })

  return new Promise((resolve) => {
    let answer = ''
    terminal.once('line', (line) => {
      answer = line
      terminal.close()
    })
    terminal.once('SIGINT', () => {
      terminal.close()
      process.kill(process.pid, 'SIGINT')
    })
    terminal.once('close', () => {
      output.write('\n')
      resolve(answer)
    })
    output.write(question)
  })
}
