import type { PoolClient } from 'pg'
import { expect, it } from 'vitest'
import { createPostgresqlDriver } from '../../lib/sql/postgresql.js'

const server = {
  host: '127.0.0.1',
  port: 1,
  database: 'unused',
  user: 'unused',
  password: '',
  schema: undefined,
  tls: undefined,
}
const bounds = { maxConnections: 1, connectTimeoutMs: 100, statementTimeoutMs: 100 }

it.each([
  ['EPIPE', 'connection'],
  ['ECONNRESET', 'connection'],
  ['57P01', 'connection'],
  ['40P01', 'conflict'],
  ['P0001', 'other'],
])('an error with the code %s is of the kind %s', async (code, kind) => {
  const driver = await createPostgresqlDriver(server, bounds)
  const client = { query: () => Promise.reject(Object.assign(new Error('failed'), { code })) }
  await expect(driver.query(client as unknown as PoolClient, 'SELECT 1', [])).rejects.toMatchObject({ kind })
})
