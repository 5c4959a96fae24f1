import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createClient } from '@hey-api/openapi-ts'
import { expect, it, onTestFinished } from 'vitest'
import { people } from '../helpers/managed-front.js'
import { startStage } from './management-stage.js'

/** What an app would write. Each call and each member is checked by the compiler. */
const program = `
import { client } from './client/client.gen.js'
import { endSession, listSessions, login } from './client/sdk.gen.js'

export async function endSessionsOf(baseUrl: string, user: string, auth: string): Promise<readonly string[]> {
  client.setConfig({ baseUrl, throwOnError: true })
  const { data: taken } = await login({ auth, throwOnError: true })
  const token: string = taken.AccessToken
  const { data: page } = await listSessions({ auth: token, query: { user, limit: 10 }, throwOnError: true })
  const ended: string[] = []
  for (const { id, kind } of page.list) {
    if (kind !== 'management') continue
    const { data } = await endSession({ auth: token, path: { id }, throwOnError: true })
    ended.push(data.id)
  }
  return ended
}
`

it('a client that is generated from the document compiles, logs in, lists sessions and ends one', async () => {
  const { front, document } = await startStage()
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-client-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'openapi.json'), JSON.stringify(document))
  await createClient({
    input: join(folder, 'openapi.json'),
    output: { path: join(folder, 'client'), module: { extension: '.js' } },
    logs: { level: 'silent' },
  })
  writeFileSync(join(folder, 'program.ts'), program)
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  symlinkSync(join(import.meta.dirname, '../../node_modules'), join(folder, 'node_modules'))
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
  const options = [
    '--module',
    'nodenext',
    '--target',
    'es2023',
    '--strict',
    '--lib',
    'es2023,dom,dom.iterable',
    '--types',
    'node',
  ]
  execFileSync(process.execPath, [tsc, ...options, '--outDir', join(folder, 'out'), join(folder, 'program.ts')], {
    cwd: folder,
    stdio: 'pipe',
  })
  writeFileSync(join(folder, 'out', 'package.json'), '{"type":"module"}')
  const { endSessionsOf } = (await import(pathToFileURL(join(folder, 'out', 'program.js')).href)) as {
    endSessionsOf(baseUrl: string, user: string, auth: string): Promise<readonly string[]>
  }
  await front.login(people.bob)
  const { name, password } = people.root
  const ended = await endSessionsOf(`http://127.0.0.1:${front.port}/management`, 'bob', `${name}:${password}`)
  expect(ended).toHaveLength(1)
  expect((await front.security.tokens.list({ subject: 'bob' })).length).toBe(0)
}, 240_000)
