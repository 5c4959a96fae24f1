/** What processes of their own do over one store, whichever it is. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { hashPassword } from '../../lib/users/passwords/password-hash.js'
import { type ClusterChanges, clusterDocument } from '../helpers/cluster.js'
import { basic, bearer, fileUser, startFront, users } from '../helpers/front.js'
import { holdProcess, resumeProcess } from '../helpers/hold-process.js'
import { requestBytes, sendRaw } from '../helpers/raw-http.js'
import { secret } from '../helpers/recorded-log.js'
import { oneSetUp } from '../helpers/set-ups.js'

const fixture = fileURLToPath(new URL('fixtures/process.ts', import.meta.url))

/** With a hash of the password: what stands for one in plain text is different in each process. */
export async function sharedDocument(changes: ClusterChanges): Promise<object> {
  const { name, password } = users.admin
  const admin = fileUser(name, await hashPassword(password), { is_admin: true })
  return { ...clusterDocument(changes), internal_apis: { users: [admin] } }
}

/** A running process. */
export interface AppProcess {
  readonly child: ChildProcess
  readonly log: () => string
  call(path: string, header: string): Promise<number>
  login(): Promise<string>
}

/** Starts one with a document. */
export async function startProcess(source: object): Promise<AppProcess> {
  const child = spawn(process.execPath, ['--unhandled-rejections=strict', '--import', 'tsx', fixture], {
    env: { ...process.env, SOURCE: JSON.stringify(source) },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let log = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    log += text
  })
  const [port] = (await once(child, 'message')) as [number]
  const send = (path: string, header: string) => sendRaw(port, requestBytes('GET', `/management${path}`, [header]))
  return {
    child,
    log: () => log,
    call: async (path, header) => (await send(path, header)).status,
    login: async () =>
      secret((await send('/login', basic('admin', users.admin.password))).json<{ AccessToken: string }>().AccessToken),
  }
}

/** Where the store is, and what it promises. */
export interface ProcessSetting {
  readonly url: () => ClusterChanges['url']
  /** `[shared_store]` of the first test. */
  readonly store: Record<string, unknown>
  /** Milliseconds after which no process admits what was revoked. */
  readonly boundMs: number
  /** Stops the store until the function it gives is called. */
  readonly hold: () => Promise<() => unknown>
}

/** Defines the tests. */
export function appProcesses({ url, store, boundMs, hold }: ProcessSetting): void {
  describe('a process of an app', () => {
    it('that stood still admits nothing that was revoked meanwhile, in whatever order it hears of all that', async () => {
      const source = await sharedDocument({ url: url(), store })
      const first = await startFront(oneSetUp, { source })
      const other = await startProcess(source)
      for (const restMs of [0, 200, 700, boundMs + 500, 3000]) {
        const tokens = await Promise.all(Array.from({ length: 5 }, () => first.login()))
        for (const token of tokens) expect(await other.call('/inbound', bearer(token))).toBe(200)
        holdProcess(other.child.pid!)
        const revoked = tokens.map(async (token) => first.call('GET', '/logout', [bearer(token)]))
        for (const { status } of await Promise.all(revoked)) expect(status).toBe(200)
        const acknowledgedAt = performance.now()
        await delay(restMs)
        // They wait in the buffers of its sockets, beside what the store has told.
        const answers = tokens.map((token) => ({
          sentAt: performance.now(),
          status: other.call('/inbound', bearer(token)),
        }))
        await delay(50)
        resumeProcess(other.child.pid!)
        for (const { sentAt, status } of answers) {
          if (sentAt > acknowledgedAt + boundMs) expect(await status).toBe(401)
          else expect([200, 401]).toContain(await status)
        }
        await delay(Math.max(0, acknowledgedAt + boundMs - performance.now()))
        for (const token of tokens) expect(await other.call('/inbound', bearer(token))).toBe(401)
      }
      expect(other.log()).toBe('')
    })

    it('that is killed right after the answer to a logout has ended the token', async () => {
      const source = await sharedDocument({ url: url() })
      const first = await startFront(oneSetUp, { source })
      const other = await startProcess(source)
      const token = await other.login()
      expect((await first.call('GET', '/inbound', [bearer(token)])).status).toBe(200)
      expect(await other.call('/logout', bearer(token))).toBe(200)
      other.child.kill('SIGKILL')
      await expect.poll(async () => (await first.call('GET', '/inbound', [bearer(token)])).status).toBe(401)
      const next = await startProcess(source)
      expect(await next.call('/inbound', bearer(token))).toBe(401)
    })

    it.each([
      ['there', false],
      ['silent', true],
    ])('ends by itself at SIGTERM with logins under way, while the store is %s', async (_name, isSilent) => {
      const source = await sharedDocument({ url: url() })
      const { child, call, log } = await startProcess(source)
      const exited = once(child, 'exit')
      const resume = isSilent ? await hold() : () => undefined
      try {
        const logins = Array.from({ length: 40 }, () => call('/login', basic('admin', users.admin.password)))
        await delay(100)
        child.kill('SIGTERM')
        for (const status of await Promise.all(logins.map((login) => login.catch(() => 'not accepted')))) {
          expect([200, 503, 'not accepted']).toContain(status)
        }
        expect(await exited, log()).toEqual([0, null])
        expect(log()).not.toMatch(/Unhandled/i)
      } finally {
        await resume()
      }
    })
  })
}
