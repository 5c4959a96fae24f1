import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'smol-toml'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createSecurity } from '../../../lib/app/create-security.js'
import type { CommandProcess } from '../../../lib/cli/command.js'
import { usersCommand } from '../../../lib/cli/users.js'
import { clusterDocument, startCluster } from '../../helpers/cluster.js'
import { onEachEngine } from '../../helpers/each-engine.js'
import { basic, bearer, type Front, users } from '../../helpers/front.js'
import type { SqlEngine } from '../../helpers/sql-engines.js'

const isIn = async (front: Front, token: string): Promise<number> =>
  (await front.call('GET', '/inbound', [bearer(token)])).status

const logOut = async (front: Front, token: string): Promise<number> =>
  (await front.call('GET', '/logout', [bearer(token)])).status

onEachEngine((engine) => {
  describe('two processes over one database', () => {
    it('take the tokens of each other, and refuse what was revoked at the other from the next request on', async () => {
      const [first, second] = await startCluster({ url: engine() })
      for (let count = 0; count < 20; count++) {
        const [here, there] = count % 2 === 0 ? [first, second] : [second, first]
        const token = await here.login()
        for (const front of [there, here, there]) expect(await isIn(front, token)).toBe(200)
        expect(await logOut(here, token)).toBe(200)
        for (const front of [there, here]) expect(await isIn(front, token)).toBe(401)
      }
    })

    it('end all tokens of a user for each other, and let the user log in again at once', async () => {
      const [first, second] = await startCluster({ url: engine() })
      const tokens = [await first.login(), await second.login()]
      for (const token of tokens) expect(await isIn(first, token)).toBe(200)
      expect(await second.security.tokens.revokeUser('admin')).toBe(2)
      for (const token of tokens) for (const front of [first, second]) expect(await isIn(front, token)).toBe(401)
      const next = await second.login()
      expect(await isIn(first, next)).toBe(200)
      await expect
        .poll(async () => (await first.call('GET', '/login', [basic('admin', users.admin.password)])).status)
        .toBe(200)
    })

    it('refuse within max_staleness what was revoked at the other, and ask nothing about what they know meanwhile', async () => {
      const boundMs = 4000
      const [first, second] = await startCluster({ url: engine(), store: { max_staleness: '4s' } })
      const delays: number[] = []
      for (let count = 0; count < 3; count++) {
        const token = await first.login()
        expect(await isIn(second, token)).toBe(200)
        expect(await logOut(first, token)).toBe(200)
        const acknowledgedAt = performance.now()
        expect(await isIn(first, token)).toBe(401)
        let lastAdmittedAt = acknowledgedAt
        for (;;) {
          const sentAt = performance.now()
          if ((await isIn(second, token)) !== 200) break
          lastAdmittedAt = sentAt
        }
        delays.push(lastAdmittedAt - acknowledgedAt)
      }
      console.info(`admitted after the answer for ${delays.map((ms) => ms.toFixed(0)).join(', ')} ms`)
      expect(Math.max(...delays)).toBeLessThanOrEqual(boundMs)
      expect(Math.max(...delays)).toBeGreaterThan(0)
    })
  })

  describe('a start', () => {
    it('without the tables is refused, says where and what to run, and is good after that', async () => {
      const file = await writeDeployment(engine(), 'without_tables')
      const start = () => createSecurity(file, { logger })
      const line =
        readFileSync(file, 'utf8')
          .split('\n')
          .findIndex((text) => text.startsWith('data_source')) + 1
      await expect(start()).rejects.toMatchObject({
        name: 'ConfigError',
        message: expect.stringMatching(
          new RegExp(`${file}:${line}:\\d+ shared_store.data_source: .* run: npx sallyport users init`),
        ),
      })
      for (let count = 0; count < 2; count++) expect(await runInit(file)).toEqual([0, 'The tables are there.\n', ''])
      await (await start()).close()
    })

    it('where the database cannot be reached answers 503 to a password, right or wrong', async () => {
      const { datasource } = engine()
      const url = datasource.url.replace(/:\d+\//, ':1/')
      const [first] = await startCluster({ url: { ...engine(), datasource: { ...datasource, url } } })
      for (const password of [users.admin.password, 'wrong-password']) {
        const answer = await first.call('GET', '/login', [basic('admin', password)])
        expect(answer.status).toBe(503)
        expect(answer.header('retry-after')).toBe('5')
      }
    })
  })
})

const logger = { info() {}, warn() {}, error() {} }

/** A file with a database of its own, in which nothing is yet. */
async function writeDeployment(engine: SqlEngine, database: string): Promise<string> {
  const document = clusterDocument({ url: engine }) as { datasource: Record<string, string>[] }
  await engine.run(`CREATE DATABASE ${database}`)
  const [datasource] = document.datasource
  datasource!['url'] = datasource!['url']!.replace(/[^/]+$/, database)
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-sql-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'deployment.toml')
  writeFileSync(file, stringify(document))
  return file
}

/** What `sallyport users init` ends with and prints. */
async function runInit(file: string): Promise<[number | string, string, string]> {
  const [out, err] = [[] as string[], [] as string[]]
  const stderr = { write: (text: string) => err.push(text) } as unknown as NodeJS.WritableStream
  const running: CommandProcess = { stdin: process.stdin, stderr, stdout: { write: (text) => out.push(text) } }
  await usersCommand(running).parseAsync(['init', '--config', file], { from: 'user' })
  return [running.exitCode ?? 0, out.join(''), err.join('')]
}
