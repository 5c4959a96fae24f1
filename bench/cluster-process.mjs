/**
 * A process of the cluster benchmark, and its client.
 *
 * @module
 */

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('servers/sallyport-cluster.mjs', import.meta.url))

/** Of a question to a process. */
const answerTimeoutMs = 300_000

/** Starts an app over the Redis that `settings` name. */
export async function startProcess(node, settings) {
  const env = { ...process.env, NODE_ENV: 'production', BENCH_CLUSTER: JSON.stringify(settings) }
  const child = fork(script, { execPath: node, execArgv: ['--expose-gc'], env })
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  const exited = once(child, 'exit')
  const hasEnded = exited.then(() => Promise.reject(new Error('a process has ended')))
  hasEnded.catch(() => {})

  async function reply() {
    const late = setTimeout(() => child.kill('SIGKILL'), answerTimeoutMs)
    const [message] = await Promise.race([once(child, 'message'), hasEnded])
    clearTimeout(late)
    return message
  }

  const port = await reply()
  return {
    port,
    /** See the script. */
    ask(what, count) {
      child.send({ ask: what, count })
      return reply()
    },
    /** Sends a request. Answers with the text; another status than the expected one fails the run. */
    async call(path, authorization, expected = 200) {
      const { status, body } = await exchange({ agent, host: '127.0.0.1', port, path, headers: { authorization } })
      if (status !== expected) throw new Error(`${path} answers ${status}: ${body}`)
      return body
    },
    /** Sends requests with a token one after the other until it is refused. Answers when the last one that was not refused was sent. */
    async lastAdmission(path, authorization) {
      for (let admittedAt = 0; ; ) {
        const sentAt = performance.now()
        const { status } = await exchange({ agent, host: '127.0.0.1', port, path, headers: { authorization } })
        if (status === 401) return admittedAt
        if (status !== 200) throw new Error(`a token is answered with ${status}`)
        admittedAt = sentAt
      }
    },
    async stop() {
      agent.destroy()
      if (child.connected) child.disconnect()
      await exited
    },
  }
}

function exchange(options) {
  return new Promise((resolve, reject) => {
    const answered = (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text) => {
        body += text
      })
      response.on('end', () => resolve({ status: response.statusCode, body }))
    }
    request(options, answered).on('error', reject).end()
  })
}

/** Does some work for each number below `count`, at most `width` at a time. */
export async function atATime(width, count, work) {
  let next = 0
  const worker = async () => {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: width }, worker))
}
