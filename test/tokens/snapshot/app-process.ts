/** An app with a snapshot as a process of its own, which a test ends and starts again. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished } from 'vitest'
import { basic, bearer, document, fileUser, fileUsers, users } from '../../helpers/front.js'
import { folderWith, keyPair } from '../../helpers/key-files.js'
import { type RawAnswer, requestBytes, sendRaw } from '../../helpers/raw-http.js'
import { secret } from '../../helpers/recorded-log.js'
import {
  type Answer,
  issuer,
  type OauthFront,
  passwords,
  providers,
  type SendOptions,
  sendTo,
} from '../../oauth/front.js'

const fixture = fileURLToPath(new URL('fixtures/process.ts', import.meta.url))

/** The authorization server that the process has. */
export const oauthTables: object = {
  oauth: { enable: true, issuer, algorithm: 'ES256', service_provider: providers },
}

/** A document with a snapshot and a signing key, which last for the test. */
export function snapshotDocument(root: object = {}): object {
  const folder = folderWith({ 'token-key.pem': keyPair().pem })
  return document({
    internalApis: { users: [...fileUsers, fileUser('alice', passwords.alice)] },
    jwt: {
      token_config: { algorithm: 'ES256', key_file: `${folder}/token-key.pem` },
      token_store_config: { max_size: 1000, snapshot_file: `${folder}/state` },
    },
    root: { ...root },
  })
}

/** A running process. */
export interface AppProcess {
  readonly child: ChildProcess
  /** What it has logged from warnings on. */
  readonly log: () => string
  call(path: string, headers?: readonly string[], method?: string, body?: string): Promise<RawAnswer>
  login(): Promise<string>
  /** Whether the token is taken. */
  takes(token: string): Promise<boolean>
  /** Ends it, and resolves when it has ended. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
  readonly front: Pick<OauthFront, 'send'>
}

/** `fileBlocks`: no file may get larger than so many blocks of 512 bytes, as on a disk that is full. */
export async function startProcess(source: object, fileBlocks?: number): Promise<AppProcess> {
  const node = [process.execPath, '--unhandled-rejections=strict', '--import', 'tsx', fixture]
  const limited = ['sh', '-c', `ulimit -f ${fileBlocks}; exec "$0" "$@"`, ...node]
  const [command, ...args] = fileBlocks === undefined ? node : limited
  const child = spawn(command!, args, {
    env: { ...process.env, SOURCE: JSON.stringify(source) },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let log = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    log += text
  })
  const exited = once(child, 'exit')
  const started = await Promise.race([once(child, 'message'), exited.then(() => undefined)])
  if (started === undefined) throw new Error(log)
  const port = started[0] as number
  const call: AppProcess['call'] = (path, headers, method = 'GET', body) =>
    sendRaw(port, requestBytes(method, path, headers, body))
  return {
    child,
    log: () => log,
    call,

    async login() {
      const answer = await call('/management/login', [basic('admin', users.admin.password)])
      expect(answer.status, answer.body).toBe(200)
      return secret(answer.json<{ AccessToken: string }>().AccessToken)
    },

    async takes(token) {
      const { status } = await call('/management/inbound', [bearer(token)])
      expect([200, 401]).toContain(status)
      return status === 200
    },

    async end(signal) {
      child.kill(signal)
      expect(await exited, log).toEqual(signal === 'SIGTERM' ? [0, null] : [null, 'SIGKILL'])
    },

    front: { send: (path: string, init?: SendOptions): Promise<Answer> => sendTo(port, path, init) },
  }
}
