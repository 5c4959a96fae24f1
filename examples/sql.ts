/**
 * An Express app whose users are in a database, here SQLite: examples/users.db, as sql.toml says.
 *
 * Run it with `node --import tsx examples/sql.ts`. PORT is the port, 9201 unless it is set. Before Node 22.13 it needs
 * `npm install @photostructure/sqlite`. The first start makes the tables and an administrator, and prints the password;
 * `sallyport users init` and `sallyport users add admin --admin`, with `--config examples/sql.toml`, do the same.
 */

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { createSecurity, getAuth } from 'sallyport'
import { loadConfig } from 'sallyport/config'
import { initSchema, openSqlDatabase, sqlUserStore } from 'sallyport/sql'

const file = new URL('sql.toml', import.meta.url)
const config = await loadConfig(file)
const password = await firstPassword()
const security = await createSecurity(config)

const managementRoutes = express.Router()
managementRoutes.get('/whoami', (request, response) => {
  const { subject, roles, isAdmin } = getAuth(request)
  response.json({ subject, roles, isAdmin })
})

const app = express()
app.use('/management', security.managementApi(), managementRoutes)

const server = security.createServer(app).listen(Number(process.env['PORT'] ?? 9201), '127.0.0.1')
await once(server, 'listening')
const { port } = server.address() as AddressInfo

console.log(`
The management API listens on http://127.0.0.1:${port}/management. Try it:

  BASE=http://127.0.0.1:${port}/management
  TOKEN=$(curl -s -u 'admin:${password ?? 'PASSWORD-OF-THE-FIRST-START'}' $BASE/login | sed 's/.*"AccessToken":"\\([^"]*\\)".*/\\1/')
  call() { curl -i -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' "$@"; echo; }

  call $BASE/users -d '{"userId":"alice","password":"wonderland-1"}'   # 200
  call $BASE/users                                                     # 200: admin and alice
  call -X DELETE $BASE/users/alice                                     # 200: her tokens are dead, too

Ctrl-C ends it.
`)

// A mistake in the changed file is logged, and all stays as it is. Windows has no such signal.
if (process.platform !== 'win32') {
  process.on('SIGHUP', () => {
    security.reload(file, { by: 'SIGHUP' }).catch((error: Error) => console.error(`not reloaded: ${error.message}`))
  })
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => security.shutdown(server))
}

/** Makes the tables and the first administrator; `undefined` when there are users already. */
async function firstPassword(): Promise<string | undefined> {
  if (config.userStore?.type !== 'database') throw new Error('sql.toml names no database')
  const database = await openSqlDatabase(config.userStore.sql.datasource)
  try {
    await initSchema(database)
    const users = await sqlUserStore({ ...config.userStore.sql, datasource: database })
    if ((await users.list({})).length > 0) return undefined
    const password = randomBytes(12).toString('base64url')
    await users.add({ name: 'admin', password, isAdmin: true })
    return password
  } finally {
    await database.close()
  }
}
