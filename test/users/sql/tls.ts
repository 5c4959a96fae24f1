/** What connections with TLS accept, whichever the server is. Its certificate is for `localhost`, from an authority of its own. */

import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { StoreError } from '../../../lib/core/errors.js'
import { openSqlDatabase, type SqlDatabaseOptions } from '../../../lib/sql/open-sql-database.js'
import { certificatesIn, type DatabaseServer } from '../../helpers/database-server.js'

/** How parameters of a URL are called for a kind of server. */
export interface TlsParameters {
  /** Begin of the URL up to the host. */
  readonly scheme: string
  readonly verified: string
  readonly chainOnly: string
  readonly unverified: string
  readonly ca: string
  /** Another spelling of the loopback address, which the certificate does not name. */
  readonly otherHost: string
}

/** Runs the suite. `isEncrypted` asks the server about the connection that runs the statement. */
export function tlsConnections(
  name: string,
  parameters: TlsParameters,
  setting: () => {
    readonly server: DatabaseServer
    readonly database: string
    readonly credentials: Partial<SqlDatabaseOptions>
  },
  isEncrypted: string,
): void {
  const { scheme, verified, chainOnly, unverified, ca, otherHost } = parameters

  describe(`${name} over TLS`, () => {
    async function connect(host: string, query: string): Promise<unknown> {
      const { server, database, credentials } = setting()
      const url = `${scheme}//${host}:${server.port}/${database}?${query}`
      const opened = await openSqlDatabase({
        url,
        home: server.folder,
        timeoutMs: 30_000,
        connectTimeoutMs: 30_000,
        ...credentials,
      })
      try {
        const [row] = await opened.query(isEncrypted)
        return String(Object.values(row!).at(-1)) !== '' && String(Object.values(row!).at(-1)) !== 'false'
      } catch (error) {
        return error
      } finally {
        await opened.close()
      }
    }

    it.each([
      ['localhost', `${verified}&${ca}=ca.pem`],
      ['localhost', `${chainOnly}&${ca}=ca.pem`],
      ['127.0.0.1', `${chainOnly}&${ca}=ca.pem`],
      ['127.0.0.1', unverified],
    ])('connects encrypted to %s with %s', async (host, query) => {
      expect(await connect(host, query)).toBe(true)
    })

    it('connects in the clear when it is not asked for', async () => {
      expect(await connect('127.0.0.1', '')).toBe(false)
    })

    it.each([
      ['an authority that is not known', 'localhost', verified],
      ['an authority that is not known, whatever the host', 'localhost', chainOnly],
      ['a certificate of another authority', 'localhost', `${verified}&${ca}=other.pem`],
    ])('refuses %s', async (_what, host, query) => {
      const { server } = setting()
      mkdirSync(join(server.folder, 'other'), { recursive: true })
      copyFileSync(certificatesIn(join(server.folder, 'other')).ca, join(server.folder, 'other.pem'))
      expect(await connect(host, query)).toBeInstanceOf(StoreError)
    })

    it('refuses a certificate for another host', async () => {
      expect(await connect(otherHost, `${verified}&${ca}=ca.pem`)).toMatchObject({
        name: 'StoreError',
        cause: { message: expect.stringMatching(/altnames|does not match/i) },
      })
    })
  })
}
