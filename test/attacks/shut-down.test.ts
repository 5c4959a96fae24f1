import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { hashPassword } from '../../lib/users/passwords/password-hash.js'
import { basic, document, fileUser } from '../helpers/front.js'
import { requestBytes, sendRaw } from '../helpers/raw-http.js'

const fixture = fileURLToPath(new URL('fixtures/shut-down.ts', import.meta.url))

// Covers: K06 K07
it('SIGTERM with 100 logins under way answers them all, and the process ends by itself', async () => {
  const password = 'Correct-horse-1'
  const hash = await hashPassword(password)
  const names = Array.from({ length: 100 }, (_, index) => `user-${index}`)
  const source = document({ internalApis: { users: names.map((name) => fileUser(name, hash)) } })
  const child = spawn(process.execPath, ['--unhandled-rejections=strict', '--import', 'tsx', fixture], {
    env: { ...process.env, SOURCE: JSON.stringify(source) },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let log = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    log += text
  })
  const exited = once(child, 'exit')
  const [port] = (await once(child, 'message')) as [number]
  const allReceived = once(child, 'message')
  const logins = names.map((name) =>
    sendRaw(port, requestBytes('GET', '/management/login', [basic(name, password)])).then(({ status }) => status),
  )
  await allReceived
  child.kill('SIGTERM')

  const statuses = await Promise.all(logins)
  // The queue for password hashes holds 64; who finds it full is told so.
  expect(statuses.filter((status) => status !== 200 && status !== 503)).toEqual([])
  expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(64)
  expect(await exited, log).toEqual([0, null])
  expect(log).not.toMatch(/UnhandledPromiseRejection|ERR_UNHANDLED/)
})
