/** Starts the examples of the migration guides, each in a process of its own. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Loading the sources through tsx takes a while on a busy machine. */
const startMs = 60_000

export const password = 'Correct-horse-1'

export interface ExampleOptions {
  readonly env?: Readonly<Record<string, string>>
  /** Whether `express` is Express 4. */
  readonly usesExpress4?: boolean
}

/** Starts a file of `examples/migrate`, and resolves with its origin. It ends with the test. */
export async function startExample(file: string, { env = {}, usesExpress4 }: ExampleOptions = {}): Promise<string> {
  const settings = usesExpress4 ? 'tsconfig.express4.json' : 'tsconfig.json'
  const child = spawn(process.execPath, ['--import', 'tsx', `examples/migrate/${file}`], {
    cwd: root,
    env: {
      ...process.env,
      TSX_TSCONFIG_PATH: `test/migrate/${settings}`,
      PORT: '0',
      PASSWORD: password,
      JWT_SECRET: 'for this test alone',
      SESSION_SECRET: 'for this test alone',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => {
      output += text
    })
  }
  const origin = () => /listening on (http:\S+)/.exec(output)?.[1]
  await expect
    .poll(() => origin() ?? (child.exitCode === null ? undefined : `ended: ${output}`), { timeout: startMs })
    .toBeDefined()
  const found = origin()
  if (found === undefined) throw new Error(`${file} did not start: ${output}`)
  return found
}

/** What a client sees of an answer. */
export interface Answer {
  readonly status: number
  /** Of a 200 in JSON: what the app has answered. */
  readonly body?: unknown
  /** Without the origin. */
  readonly location?: string
}

/** What a client sends; a GET without headers unless it says more. */
export interface Call {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** A client that keeps cookies, as curl with `-b` and `-c` does, over all origins of a host. `fetch` does not send every header. */
export class Client {
  readonly origin: string
  readonly #cookies = new Map<string, string>()

  constructor(origin: string) {
    this.origin = origin
  }

  /** Sends one request to a path or an URL; follows no redirect. */
  async send(target: string, { method = 'GET', headers = {}, body }: Call = {}) {
    const url = new URL(target, this.origin)
    const sent: Record<string, string> = { Accept: '*/*', ...headers }
    if (method === 'POST') sent['Origin'] = url.origin
    if (this.#cookies.size > 0)
      sent['Cookie'] = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const request = httpRequest(url, { method, headers: sent }).end(body)
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    for (const cookie of response.headers['set-cookie'] ?? []) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
      if (value === '') this.#cookies.delete(name)
      else this.#cookies.set(name, value)
    }
    return { status: response.statusCode!, location: response.headers.location, text: await text(response) }
  }

  async call(target: string, call?: Call): Promise<Answer> {
    const { status, location, text } = await this.send(target, call)
    return {
      status,
      ...(status === 200 && text.startsWith('{') && { body: JSON.parse(text) as unknown }),
      ...(location !== undefined && { location: location.replace(this.origin, '') }),
    }
  }
}

/** A form, as a browser and `curl -d` send it. */
export function form(fields: Readonly<Record<string, string>>): Call {
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' }
  return { method: 'POST', headers, body: String(new URLSearchParams(fields)) }
}
