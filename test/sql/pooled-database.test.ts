import { describe, expect, it, vi } from 'vitest'
import { createPooledDatabase, type SqlPoolOptions } from '../../lib/sql/pooled-database.js'
import type { SqlDriver } from '../../lib/sql/sql-database.js'
import { type SqlDatabase, SqlError, type SqlQuery, type SqlRow } from '../../lib/sql/sql-database.js'

interface FakeConnection {
  isOpen: boolean
}

/** A database that does what a test tells it, behind the simplest pool. */
class FakeServer implements SqlDriver<FakeConnection> {
  readonly dialect = 'postgresql'
  readonly beginStatement = 'BEGIN'
  readonly statements: string[] = []
  readonly connections: FakeConnection[] = []
  readonly idle: FakeConnection[] = []
  connectError: Error | undefined
  maxOpen = Number.POSITIVE_INFINITY
  answer: (sql: string, connection: FakeConnection) => Promise<readonly SqlRow[]> = async () => []

  database(options: SqlPoolOptions = {}): SqlDatabase {
    return createPooledDatabase(this, options)
  }

  get open(): readonly FakeConnection[] {
    return this.connections.filter(({ isOpen }) => isOpen)
  }

  async connect(): Promise<FakeConnection> {
    const idle = this.idle.pop()
    if (idle !== undefined) return idle
    const connection = { isOpen: false }
    this.connections.push(connection)
    if (this.connectError !== undefined) throw this.connectError
    if (this.open.length >= this.maxOpen) throw new SqlError('connection', 'too many connections')
    connection.isOpen = true
    return connection
  }

  async setUp(): Promise<void> {}

  async query(connection: FakeConnection, sql: string): Promise<readonly SqlRow[]> {
    this.statements.push(sql)
    return this.answer(sql, connection)
  }

  release(connection: FakeConnection): void {
    this.idle.push(connection)
  }

  destroy(connection: FakeConnection): void {
    connection.isOpen = false
  }

  async close(): Promise<void> {
    for (const connection of this.idle) connection.isOpen = false
  }
}

const broken = new SqlError('connection', 'broken')

describe('a pooled database', () => {
  it('connects when it is asked, and keeps the connection', async () => {
    const server = new FakeServer()
    const database = server.database()
    expect(server.connections).toHaveLength(0)
    await database.query('SELECT 1')
    await database.query('SELECT 2')
    expect(server.connections).toHaveLength(1)
    await database.close()
    expect(server.open).toHaveLength(0)
  })

  it('makes a new connection when the pool has closed an idle one', async () => {
    const server = new FakeServer()
    const database = server.database()
    await database.query('SELECT 1')
    server.destroy(server.idle.pop()!)
    await database.query('SELECT 2')
    expect(server.connections).toHaveLength(2)
  })

  it('reads once more when the connection breaks, and never a third time', async () => {
    const server = new FakeServer()
    server.answer = () => Promise.reject(broken)
    await expect(server.database().query('SELECT 1')).rejects.toBe(broken)
    expect(server.statements).toEqual(['SELECT 1', 'SELECT 1'])
    expect(server.open).toHaveLength(0)
  })

  it('does not try an idle connection again after one of them broke', async () => {
    const server = new FakeServer()
    const database = server.database()
    await Promise.all(['SELECT 1', 'SELECT 2', 'SELECT 3'].map((sql) => database.query(sql)))
    const old = new Set(server.connections)
    expect(old.size).toBe(3)
    server.answer = async (_sql, connection) => {
      if (old.has(connection)) throw broken
      return [{ one: 1 }]
    }
    expect(await database.query('SELECT 4')).toEqual([{ one: 1 }])
    expect(server.statements).toHaveLength(5)
    await Promise.all(['SELECT 5', 'SELECT 6', 'SELECT 7'].map((sql) => database.query(sql)))
    expect([...old].some(({ isOpen }) => isOpen)).toBe(false)
  })

  it.each(['UPDATE t SET a = 1', 'INSERT INTO t VALUES (1)', 'DELETE FROM t', 'SELECT 1 FROM t FOR UPDATE'])(
    'does not repeat %s',
    async (sql) => {
      const server = new FakeServer()
      server.answer = () => Promise.reject(broken)
      await expect(server.database().query(sql)).rejects.toBe(broken)
      expect(server.statements).toEqual([sql])
    },
  )

  it('begins a transaction on another connection, but repeats nothing of it', async () => {
    const server = new FakeServer()
    let failures = 1
    server.answer = async (sql) => {
      if (sql === 'BEGIN' && failures-- > 0) throw broken
      if (sql === 'UPDATE') throw broken
      return []
    }
    await expect(server.database().transaction((query) => query('UPDATE'))).rejects.toBe(broken)
    expect(server.statements).toEqual(['BEGIN', 'BEGIN', 'UPDATE'])
    expect(server.open).toHaveLength(0)
  })

  it('undoes a transaction whose work throws, and keeps the connection', async () => {
    const server = new FakeServer()
    const database = server.database()
    const refusal = new Error('refused')
    await expect(database.transaction(() => Promise.reject(refusal))).rejects.toBe(refusal)
    expect(server.statements).toEqual(['BEGIN', 'ROLLBACK'])
    expect(server.open).toHaveLength(1)
  })

  it('drops a connection that cannot undo', async () => {
    const server = new FakeServer()
    server.answer = async (sql) => {
      if (sql === 'ROLLBACK') throw new SqlError('other', 'no')
      return []
    }
    const database = server.database()
    await expect(database.transaction(() => Promise.reject(new Error('refused')))).rejects.toThrow('refused')
    expect(server.open).toHaveLength(0)
  })

  it('repeats a transaction that was given up, three times in all', async () => {
    const server = new FakeServer()
    const conflict = new SqlError('conflict', 'deadlock')
    const work = vi.fn(() => Promise.reject(conflict))
    await expect(server.database().transaction(work)).rejects.toBe(conflict)
    expect(work).toHaveBeenCalledTimes(3)
  })

  it('does not repeat a transaction whose end is not known', async () => {
    const server = new FakeServer()
    server.answer = async (sql) => {
      if (sql === 'COMMIT') throw broken
      return []
    }
    const work = vi.fn(async () => {})
    await expect(server.database().transaction(work)).rejects.toBe(broken)
    expect(work).toHaveBeenCalledTimes(1)
  })

  it('gives up a statement that takes too long, and drops its connection', async () => {
    const server = new FakeServer()
    server.answer = () => new Promise(() => {})
    const database = server.database({ timeoutMs: 20 })
    await expect(database.query('SELECT 1')).rejects.toMatchObject({ kind: 'timeout' })
    await expect(database.transaction(async () => {})).rejects.toMatchObject({ kind: 'timeout' })
    expect(server.open).toHaveLength(0)
  })

  it.each([
    ['commits nothing', async () => {}],
    ['undoes by the connection', () => Promise.reject(new Error('work failed'))],
    ['sends no further statement', (query: SqlQuery) => query('UPDATE late').catch(() => {})],
  ])('%s when the time of a transaction is up while its work does something else', async (_what, end) => {
    vi.useFakeTimers()
    try {
      const server = new FakeServer()
      const done = server.database({ timeoutMs: 20 }).transaction(async (query) => {
        await query('UPDATE 1')
        await vi.advanceTimersByTimeAsync(20)
        await end(query)
      })
      await expect(done).rejects.toThrow()
      expect(server.statements).toEqual(['BEGIN', 'UPDATE 1'])
      expect(server.open).toHaveLength(0)
    } finally {
      vi.useRealTimers()
    }
  })

  it('takes no statement for a transaction that has ended', async () => {
    const server = new FakeServer()
    const query = await server.database().transaction(async (query) => query)
    await expect(query('UPDATE late')).rejects.toThrow('The transaction has ended.')
    expect(server.statements).toEqual(['BEGIN', 'COMMIT'])
  })

  it('serves those who wait in their order', async () => {
    const server = new FakeServer()
    const database = server.database({ maxConnections: 1 })
    await Promise.all(['SELECT 1', 'SELECT 2', 'SELECT 3', 'SELECT 4'].map((sql) => database.query(sql)))
    expect(server.statements).toEqual(['SELECT 1', 'SELECT 2', 'SELECT 3', 'SELECT 4'])
  })

  it('tells those who wait for too long, and serves the next', async () => {
    const server = new FakeServer()
    let finish = (): void => {}
    server.answer = () =>
      new Promise((resolve) => {
        finish = () => resolve([])
      })
    const database = server.database({ maxConnections: 1 })
    const first = database.query('SELECT 1')
    await vi.waitFor(() => expect(server.statements).toHaveLength(1), 30_000)
    await expect(database.query('SELECT 2', [], { timeoutMs: 10 })).rejects.toMatchObject({ kind: 'timeout' })
    finish()
    await first
    server.answer = async () => []
    await database.query('SELECT 3')
    expect(server.statements).toEqual(['SELECT 1', 'SELECT 3'])
  })

  it('does nothing for a caller who has gone already', async () => {
    const server = new FakeServer()
    const signal = AbortSignal.abort(new Error('gone'))
    await expect(server.database().query('SELECT 1', [], { signal })).rejects.toThrow('gone')
    expect(server.connections).toHaveLength(0)
  })

  it('leaves a server that cannot be reached alone, for longer each time, and tries with one connection', async () => {
    let now = 0
    const server = new FakeServer()
    const refused = new SqlError('connection', 'refused')
    server.connectError = refused
    const database = server.database({ clock: () => now })
    const attempt = async (): Promise<number> => {
      const before = server.connections.length
      await Promise.all(Array.from({ length: 5 }, () => expect(database.query('SELECT 1')).rejects.toBe(refused)))
      return server.connections.length - before
    }
    // All at once: nothing is known of the server yet.
    expect(await attempt()).toBe(5)
    expect(await attempt()).toBe(0)
    for (const pauseMs of [250, 500, 1000, 2000, 2000]) {
      now += pauseMs - 1
      expect(await attempt()).toBe(0)
      now += 1
      expect(await attempt()).toBe(1)
    }
    now += 2000
    server.connectError = undefined
    await Promise.all(Array.from({ length: 5 }, () => database.query('SELECT 1')))
    expect(server.open.length).toBeGreaterThanOrEqual(1)
  })

  it('serves everybody where the server allows fewer connections', async () => {
    const server = new FakeServer()
    server.maxOpen = 2
    const database = server.database()
    const answers = Array.from({ length: 20 }, () => database.query('SELECT 1'))
    expect(await Promise.all(answers)).toHaveLength(20)
    expect(server.open).toHaveLength(2)
  })

  it('gives back a connection that comes too late', async () => {
    const server = new FakeServer()
    let connected = (): void => {}
    server.setUp = () =>
      new Promise((resolve) => {
        connected = resolve
      })
    const database = server.database({ maxConnections: 1 })
    await expect(database.query('SELECT 1', [], { timeoutMs: 10 })).rejects.toMatchObject({ kind: 'timeout' })
    connected()
    await database.query('SELECT 2')
    expect(server.connections).toHaveLength(1)
    expect(server.statements).toEqual(['SELECT 2'])
  })

  it('drops a connection that cannot be set up in time', async () => {
    const server = new FakeServer()
    server.setUp = () => new Promise(() => {})
    await expect(server.database({ connectTimeoutMs: 10 }).query('SELECT 1')).rejects.toMatchObject({ kind: 'timeout' })
    expect(server.connections).toHaveLength(1)
    expect(server.open).toHaveLength(0)
  })

  it('takes any error of a driver for one of the connection', async () => {
    const server = new FakeServer()
    server.connectError = new Error('odd')
    await expect(server.database().query('SELECT 1')).rejects.toMatchObject({ kind: 'connection' })
  })

  it('ends connections that are in use when they are given back, and refuses everybody else', async () => {
    const server = new FakeServer()
    let finish = (): void => {}
    server.answer = () =>
      new Promise((resolve) => {
        finish = () => resolve([])
      })
    const database = server.database({ maxConnections: 1 })
    const inUse = database.query('SELECT 1')
    const waits = database.query('SELECT 2')
    const refused = expect(waits).rejects.toMatchObject({ kind: 'connection' })
    await vi.waitFor(() => expect(server.statements).toHaveLength(1), 30_000)
    const closed = database.close()
    await expect(database.query('SELECT 3', [], { timeoutMs: 10 })).rejects.toBeInstanceOf(SqlError)
    finish()
    await inUse
    await refused
    await closed
    await expect(database.query('SELECT 4')).rejects.toMatchObject({ kind: 'connection' })
    expect(server.statements).toEqual(['SELECT 1'])
    expect(server.open).toHaveLength(0)
  })

  it.each([{ a: 1 }, [1], Number.NaN, undefined, 1n, Symbol('s'), new Date(0), Buffer.from('a')])(
    'sends no %s as a parameter',
    async (value) => {
      const server = new FakeServer()
      const database = server.database()
      const odd = [value as unknown as string]
      await expect(database.query('SELECT ?', odd)).rejects.toBeInstanceOf(TypeError)
      await expect(database.transaction((query) => query('SELECT ?', odd))).rejects.toBeInstanceOf(TypeError)
      expect(server.statements).not.toContain('SELECT ?')
    },
  )

  it('tells neither parameters nor rows of a driver in its errors', () => {
    const driverError = Object.assign(new Error('Incorrect string value: hidden'), {
      code: 'X',
      parameters: ['hidden'],
    })
    const error = new SqlError('data', 'failed', driverError)
    expect(JSON.stringify([error, error.cause, String((error.cause as Error).message)])).not.toContain('hidden')
  })
})
