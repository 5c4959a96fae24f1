/** Fronts from the files that WSO2's products and charts come with, unchanged, beside the key stores that they name. */

import { once } from 'node:events'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { get, type IncomingMessage } from 'node:http'
import { get as getOverTls } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import express from 'express'
import { parse } from 'smol-toml'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSecurity } from '../lib/app/create-security.js'
import { openManagedStore } from '../lib/cli/store-command.js'
import { recordedLog } from './helpers/recorded-log.js'
import { make } from './tls/tools.js'

const deployments = fileURLToPath(new URL('config/deployments/', import.meta.url))
const files = ['', 'apim/'].flatMap((below) =>
  readdirSync(join(deployments, below))
    .filter((name) => name.endsWith('.toml'))
    .map((name) => below + name),
)
const folder = mkdtempSync(join(tmpdir(), 'sallyport-deployments-'))

beforeAll(async () => {
  for (const type of ['JKS', 'PKCS12']) await makeKeyStore(type)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Every key store of these files has WSO2's own password and alias, or none in the file. */
async function makeKeyStore(type: string): Promise<void> {
  const names = [
    '-dname',
    'CN=localhost',
    '-ext',
    'SAN=dns:localhost',
    '-alias',
    'wso2carbon',
    '-storepass',
    'wso2carbon',
  ]
  const store = ['-storetype', type, '-keystore', `made.${type}`, '-keyalg', 'EC', '-groupname', 'secp256r1']
  await make(folder, 'keytool', '-noprompt', '-genkeypair', ...names, ...store)
}

interface StoreTable {
  readonly file_name?: string
}

/** A home as the products have it: the file in `conf`, key stores below `repository/resources/security`. */
function homeFor(file: string): string {
  const home = join(folder, file.replaceAll(/\W/g, '-'))
  const security = join(home, 'repository/resources/security')
  for (const path of [join(home, 'conf'), security]) mkdirSync(path, { recursive: true })
  copyFileSync(join(deployments, file), join(home, 'conf/deployment.toml'))
  const document = parse(readFileSync(join(deployments, file), 'utf8')) as {
    keystore?: Record<string, StoreTable>
    truststore?: StoreTable
  }
  const stores = [...Object.values(document.keystore ?? {}), document.truststore]
  for (const store of stores) {
    if (store?.file_name === undefined) continue
    const target = store.file_name.includes('/') ? join(home, store.file_name) : join(security, store.file_name)
    if (!existsSync(target)) copyFileSync(join(folder, `made.${target.endsWith('.jks') ? 'JKS' : 'PKCS12'}`), target)
  }
  return home
}

async function start(file: string) {
  const log = recordedLog()
  const path = join(homeFor(file), 'conf/deployment.toml')
  const security = await createSecurity(path, { logger: log.logger, env: {} })
  const app = express()
  app.use('/management', security.managementApi())
  for (const { name } of security.config.portals) app.use(`/${name}`, security.portal(name))
  app.use(security.webApps())
  app.get('/', (_request, response) => void response.end('hello'))
  const server = security.createServer(app)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const isTls = 'setSecureContext' in server

  return {
    log,
    isTls,
    async statusOf(path: string, headers: Record<string, string> = {}): Promise<number> {
      const options = { port: (server.address() as AddressInfo).port, host: '127.0.0.1', path, headers, agent: false }
      const request = isTls ? getOverTls({ ...options, rejectUnauthorized: false }) : get(options)
      const [response] = (await once(request, 'response')) as [IncomingMessage]
      response.resume()
      return response.statusCode!
    },
    async close() {
      server.close()
      server.closeAllConnections()
      await security.close()
    },
  }
}

const basic = { authorization: `Basic ${btoa('somebody:wrong-password-1')}` }

describe('a front from', () => {
  it.each(files)('%s serves the management API and the portals', async (file) => {
    const front = await start(file)
    try {
      const usesTls = /^\[keystore\.tls\]/m.test(readFileSync(join(deployments, file), 'utf8'))
      if (usesTls) expect(front.isTls).toBe(true)
      expect(await front.statusOf('/')).toBe(200)
      expect(await front.statusOf('/publisher/login')).toBe(200)
      const isOff = front.log.lines.some((line) => line.includes('AUTHENTICATION IS OFF'))
      // Nobody answers at the addresses of directories and databases in these files.
      const expected = isOff ? [404] : [401, 503]
      expect(expected).toContain(await front.statusOf('/management/login', basic))
    } finally {
      await front.close()
    }
  })
})

describe('users in the database of a file of API Manager', () => {
  it('are made by the command, and sign in', async () => {
    const home = join(folder, 'sqlite')
    mkdirSync(home)
    const path = join(home, 'deployment.toml')
    const shared = '[database.shared_db]\ntype = "sqlite"\nurl = "jdbc:sqlite:./users.db"\n'
    writeFileSync(
      path,
      `[user_store]\ntype = "database_unique_id"\n${shared}[database.apim_db]\nurl = "$env{MISSING}"\n`,
    )
    const { logger } = recordedLog()
    const { store, init } = await openManagedStore(path, logger)
    await init?.()
    await store.add({ name: 'ada', password: 'Throw-away-1', isAdmin: true })
    await store.close()

    const security = await createSecurity(path, { logger, env: {} })
    const account = await security.users.find('ada')
    expect(account).toMatchObject({ subject: 'ada', isAdmin: true })
    const login = await security.users.authenticate('ada', 'Throw-away-1')
    expect(login.account?.subject).toBe('ada')
    await security.close()
  })
})

describe('users in a database that there is no driver for', () => {
  it('make every login answer 503, with the reason of the start in the log', async () => {
    const front = await start('apim/apim-shipped.toml')
    try {
      const reason = /database\.shared_db:? is H2, which has no driver here: every login answers 503 until /
      const told = () => front.log.lines.filter((line) => reason.test(line)).length
      expect(told()).toBe(1)
      for (const attempt of [1, 2]) {
        expect(await front.statusOf('/management/login', basic)).toBe(503)
        expect(told()).toBe(1 + attempt)
      }
    } finally {
      await front.close()
    }
  })
})
