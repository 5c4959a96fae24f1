/**
 * Load generator: keep-alive connections over raw sockets, one request under way on each.
 *
 * It knows the length of the answer from the first one and then only counts bytes, so that it takes a fraction of the
 * processor time of the servers it measures. An answer of another status or length fails the run.
 *
 * @module
 */

import { connect } from 'node:net'

/**
 * Sends requests to 127.0.0.1 for a time. `keepsCaller`: each connection sends the same request again and again, as the
 * connection of a client does; otherwise all of them in turn, as behind a proxy.
 *
 * @param {{ port: number, requests: readonly Buffer[], connections?: number, milliseconds: number, keepsCaller?: boolean }} options
 * @returns {Promise<{ answers: number, seconds: number }>}
 */
export async function load({ port, requests, connections = 32, milliseconds, keepsCaller = false }) {
  const clients = await Promise.all(Array.from({ length: connections }, () => open(port)))
  let next = 0
  let answers = 0
  const begin = performance.now()
  const end = begin + milliseconds

  await Promise.all(
    clients.map(
      (socket, number) =>
        new Promise((resolve, reject) => {
          const send = () => socket.write(requests[(keepsCaller ? number : next++) % requests.length])
          const answered = () => {
            answers++
            if (performance.now() < end) return send()
            socket.removeListener('close', closed).end()
            resolve()
          }
          const closed = () => reject(new Error('the server closed a connection'))
          socket.on('close', closed).on('error', reject)
          socket.on('data', answerReader(answered, reject))
          send()
        }),
    ),
  )
  return { answers, seconds: (performance.now() - begin) / 1000 }
}

/** Calls `answered` for every whole answer: status 200, and each as long as the first. */
function answerReader(answered, failed) {
  let length = 0
  let received = 0
  let head = ''
  return (chunk) => {
    received += chunk.length
    if (length === 0) {
      head += chunk.toString('latin1')
      length = answerLength(head)
      if (length === 0) return
      if (!head.startsWith('HTTP/1.1 200 ')) return failed(new Error(`unexpected answer: ${head.slice(0, 300)}`))
    } else if (received === chunk.length && chunk[9] !== TWO) {
      return failed(new Error(`unexpected answer: ${chunk.toString('latin1').slice(0, 300)}`))
    }
    if (received < length) return
    if (received > length) return failed(new Error('an answer is longer than the first'))
    received = 0
    answered()
  }
}

const TWO = '2'.charCodeAt(0)

function answerLength(head) {
  const end = head.indexOf('\r\n\r\n')
  if (end === -1) return 0
  const bytes = /\r\ncontent-length: (\d+)/i.exec(head)?.[1]
  if (bytes === undefined) throw new Error('an answer without Content-Length cannot be counted')
  return end + 4 + Number(bytes)
}

/** @returns {Promise<import('node:net').Socket>} */
function open(port) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    socket.once('error', reject).once('connect', () => {
      socket.removeListener('error', reject)
      resolve(socket)
    })
  })
}
