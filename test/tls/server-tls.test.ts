import { once } from 'node:events'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import tls, { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import express from 'express'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createSecurity, type Security } from '../../lib/app/create-security.js'
import { ConfigError } from '../../lib/core/errors.js'
import { tryOutFileName } from '../../lib/tls/try-out-certificate.js'
import { dayMs, folderWith, type KeyPair, keyPair, pemOfKey } from '../helpers/key-files.js'
import { type RecordedLog, recordedLog } from '../helpers/recorded-log.js'

interface Served extends RecordedLog {
  readonly security: Security
  /** Codes of failed handshakes, as the server sees them. */
  readonly failures: readonly string[]
  readonly port: number
  readonly toml: string
}

interface ServeOptions {
  readonly toml?: string
  readonly files?: Readonly<Record<string, string | Buffer>>
  readonly clock?: () => number
  readonly protocol?: 'https'
}

/** Token keys that are made quickly, and a user. */
const rest = `
[management_api.jwt_token_security_handler.token_config]
algorithm = "ES256"
[[internal_apis.users]]
user.name = "root"
user.password = "Correct-horse-1"
`

/** A front of a deployment.toml in a folder of its own. */
async function opened({ toml = '', files, clock }: ServeOptions): Promise<Omit<Served, 'port' | 'failures'>> {
  const folder = folderWith({ ...files, 'deployment.toml': toml + rest })
  const log = recordedLog()
  const path = join(folder, 'deployment.toml')
  const security = await createSecurity(path, { logger: log.logger, ...(clock && { clock }) })
  onTestFinished(() => security.close())
  return { ...log, security, toml: path }
}

/** The same with a server that listens. */
async function serve(options: ServeOptions): Promise<Served> {
  const front = await opened(options)
  const app = express()
  app.get('/', (_request, response) => void response.send('hello'))
  app.get('/client', (request, response) => {
    const socket = request.socket as TLSSocket
    response.send(`${socket.authorized} ${socket.getPeerX509Certificate()?.subject}`)
  })
  const { protocol } = options
  const server = front.security.createServer(app, protocol === undefined ? {} : { protocol })
  const failures: string[] = []
  server.on('tlsClientError', (error: NodeJS.ErrnoException) => void failures.push(String(error.code)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return { ...front, failures, port: (server.address() as AddressInfo).port }
}

/** What a client sees of a handshake, and of the request after it. */
async function handshake(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, servername: 'localhost', ...options })
  onTestFinished(() => void socket.destroy())
  await once(socket, 'secureConnect')
  return socket
}

async function fingerprintOf(port: number): Promise<string> {
  return (await handshake(port)).getPeerCertificate().fingerprint256
}

/** Sends a request over a new connection, or says why it failed. */
async function get(
  port: number,
  options: https.RequestOptions & Pick<ConnectionOptions, 'session'> = {},
): Promise<string> {
  try {
    const request = https.get({ port, host: '127.0.0.1', agent: false, servername: 'localhost', ...options })
    const [response] = await once(request, 'response')
    let text = ''
    for await (const part of response) text += String(part)
    return `${response.statusCode} ${text}`
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error)
  }
}

const keystore = '[keystore.tls]\nfile_name = "server.pem"\n'
const server = keyPair()
const rsaServer = keyPair({ type: 'rsa' })

describe('a server with [keystore.tls]', () => {
  it('speaks https with the chain of the store, and the name of the host is right', async () => {
    const authority = keyPair({ isAuthority: true, name: 'authority' })
    const own = keyPair({ issuer: authority })
    const { port, entries } = await serve({ toml: keystore, files: { 'server.pem': own.pem } })
    expect(await get(port, { ca: authority.certificate.toString() })).toBe('200 hello')
    expect(await get(port, { ca: keyPair().certificate.toString() })).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE')
    expect(await get(port, { ca: authority.certificate.toString(), servername: 'other.example' })).toBe(
      'ERR_TLS_CERT_ALTNAME_INVALID',
    )
    expect(entries.filter(({ message }) => message.startsWith('keystore'))).toEqual([])
  })

  // Covers: I01
  it.each([
    ['TLSv1', false],
    ['TLSv1.1', false],
    ['TLSv1.2', true],
    ['TLSv1.3', true],
  ] as const)('answers a client of %s, whatever the environment allows: %s', async (version, isServed) => {
    const { DEFAULT_MIN_VERSION } = tls
    onTestFinished(() => {
      tls.DEFAULT_MIN_VERSION = DEFAULT_MIN_VERSION
    })
    // What NODE_OPTIONS=--tls-min-v1.0 does.
    tls.DEFAULT_MIN_VERSION = 'TLSv1'
    const { port, failures } = await serve({ toml: keystore, files: { 'server.pem': server.pem } })
    const options = { minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' }
    expect((await get(port, { ...options, rejectUnauthorized: false })) === '200 hello').toBe(isServed)
    expect(failures).toEqual(isServed ? [] : ['ERR_SSL_UNSUPPORTED_PROTOCOL'])
  })

  // Covers: I02
  it.each(['ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-CHACHA20-POLY1305'])(
    'offers %s',
    async (ciphers) => {
      const { port } = await serve({ toml: keystore, files: { 'server.pem': server.pem } })
      expect((await handshake(port, { ciphers, maxVersion: 'TLSv1.2' })).getCipher().name).toBe(ciphers)
    },
  )

  // Covers: I02
  it.each([
    'ECDHE-ECDSA-AES128-SHA256',
    'ECDHE-ECDSA-AES256-SHA',
    'ECDHE-RSA-AES128-SHA256',
    'AES128-GCM-SHA256',
    'AES256-SHA',
    'DHE-RSA-AES128-GCM-SHA256',
    'AECDH-AES128-SHA',
  ])('offers no %s', async (suite) => {
    for (const { pem } of [server, rsaServer]) {
      const { port, failures } = await serve({ toml: keystore, files: { 'server.pem': pem } })
      await get(port, { ciphers: `${suite}@SECLEVEL=0`, maxVersion: 'TLSv1.2', rejectUnauthorized: false })
      expect(failures).toEqual(['ERR_SSL_NO_SHARED_CIPHER'])
    }
  })

  it('prefers its own order of suites', async () => {
    const { port } = await serve({ toml: keystore, files: { 'server.pem': server.pem } })
    const ciphers = 'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384'
    const socket = await handshake(port, { ciphers, maxVersion: 'TLSv1.2' })
    expect(socket.getCipher().name).toBe('ECDHE-ECDSA-AES256-GCM-SHA384')
  })

  it('speaks what httpsProtocols and preferredCiphers leave', async () => {
    const toml = `${keystore}[internal_api_ssl_config.parameter]
      httpsProtocols = "TLSv1,TLSv1.1,TLSv1.2"
      preferredCiphers = "TLS_RSA_WITH_AES_128_CBC_SHA, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"`
    const { port } = await serve({ toml, files: { 'server.pem': server.pem } })
    const socket = await handshake(port)
    expect(socket.getProtocol()).toBe('TLSv1.2')
    expect(socket.getCipher().name).toBe('ECDHE-ECDSA-AES128-GCM-SHA256')
  })
})

describe('key material that cannot be used', () => {
  const past = new Date(Date.now() - 2 * dayMs)
  const [yesterday, tomorrow] = [new Date(Date.now() - dayMs), new Date(Date.now() + 2 * dayMs)]
  it.each([
    ['missing', undefined, /not there: server\.pem/],
    ['expired', keyPair({ from: past, to: yesterday }).pem, /expired on \d{4}-\d\d-\d\d/],
    ['not yet valid', keyPair({ from: tomorrow }).pem, /not valid before/],
    ['for another key', server.certificate + pemOfKey(keyPair().key), /does not belong/],
  ])('%s stops https with the place in the file, and nothing else', async (_, pem, rule) => {
    const { security, toml } = await opened({ toml: keystore, files: pem === undefined ? {} : { 'server.pem': pem } })
    expect(() => security.createServer(express())).toThrow(rule)
    expect(() => security.createServer(express())).toThrow(`${toml}:`)
    expect(() => security.createServer(express())).toThrow(ConfigError)
    expect(() => security.createServer(express(), { protocol: 'http' })).not.toThrow()
    expect(() =>
      security.createServer(express(), { tls: { key: pemOfKey(server.key), cert: server.pem } }),
    ).not.toThrow()
  })

  it('has a password whose variable is not set: https is refused, http is not', async () => {
    const { security, toml } = await opened({ toml: `${keystore}password = "$env{NO_SUCH_VARIABLE_HERE}"\n` })
    expect(() => security.createServer(express())).toThrow(`${toml}:3:1 keystore.tls.password: needs the environment`)
    expect(() => security.createServer(express(), { protocol: 'http' })).not.toThrow()
  })

  it('gets a warning when it expires within 30 days, again every day', async () => {
    let now = Date.now()
    const soon = keyPair({ to: new Date(now + 40 * dayMs) })
    const { security, entries, toml } = await serve({
      toml: keystore,
      files: { 'server.pem': soon.pem },
      clock: () => now,
    })
    const warnings = (): number => entries.filter(({ message }) => message.includes('expires on')).length
    expect(warnings()).toBe(0)
    now += 15 * dayMs
    await security.reload(toml)
    expect(warnings()).toBe(1)
  })

  it("is WSO2's published key: a loud warning", async () => {
    const jks = readFileSync(new URL('../corpora/keystores/wso2carbon.jks', import.meta.url))
    const clock = () => Date.UTC(2026, 0, 1)
    const { entries } = await serve({
      files: { 'wso2carbon.jks': jks },
      toml: '[keystore.tls]\nalias = "wso2carbon"\nfile_name = "wso2carbon.jks"\n',
      clock,
    })
    expect(
      entries.some(({ message }) => /keystore\.tls.*everybody can download with its private key/.test(message)),
    ).toBe(true)
  })
})

describe('which protocol and which key', () => {
  const [connector, internal, primary] = [keyPair(), keyPair(), keyPair()]
  const files = { 'tls.pem': connector.pem, 'internal.pem': internal.pem, 'primary.pem': primary.pem }
  const [tlsTable, internalTable, primaryTable] = [
    '[keystore.tls]\nfile_name = "tls.pem"\n',
    '[internal_api_ssl_config.key_store]\nlocation = "internal.pem"\n',
    '[keystore.primary]\nfile_name = "primary.pem"\n',
  ]
  it.each([
    ['tls', tlsTable + internalTable + primaryTable, undefined, connector],
    ['internal_api_ssl_config', internalTable + primaryTable, undefined, internal],
    ['primary by internal_api_ssl_config', `[internal_api_ssl_config]\n${primaryTable}`, undefined, primary],
    ['primary, when https is asked for', primaryTable, 'https', primary],
    [
      'primary, when the file allows only https',
      `[management_api]\nprotocols = "https"\n${primaryTable}`,
      undefined,
      primary,
    ],
  ] as const)('is the key of %s', async (_, toml, protocol, pair) => {
    const { port } = await serve({ toml, files, ...(protocol && { protocol }) })
    expect(await fingerprintOf(port)).toBe(pair.certificate.fingerprint256)
  })

  it('is http with [keystore.primary] alone', async () => {
    const { security } = await opened({ toml: primaryTable, files })
    expect(security.createServer(express())).not.toBeInstanceOf(https.Server)
  })

  it('is never https where the file allows only http, unless the app brings a key', async () => {
    const { security } = await opened({ toml: '[management_api]\nprotocols = "http"\n', files })
    expect(() => security.createServer(express(), { protocol: 'https' })).toThrow('management_api.protocols')
    const own = { key: pemOfKey(connector.key), cert: connector.pem }
    expect(security.createServer(express(), { tls: own })).toBeInstanceOf(https.Server)
  })

  it('narrows the versions for a key of the app as well', async () => {
    const { security } = await opened({})
    const made = security
      .createServer(express(), { tls: { key: pemOfKey(connector.key), cert: connector.pem } })
      .listen(0, '127.0.0.1')
    onTestFinished(() => void made.close())
    await once(made, 'listening')
    const { port } = made.address() as AddressInfo
    const failed = once(made, 'tlsClientError')
    await get(port, { ciphers: 'ECDHE-ECDSA-AES128-SHA256', maxVersion: 'TLSv1.2', rejectUnauthorized: false })
    expect((await failed)[0]).toMatchObject({ code: 'ERR_SSL_NO_SHARED_CIPHER' })
  })
})

describe('client certificates', () => {
  const [authority, stranger] = [keyPair({ isAuthority: true }), keyPair({ isAuthority: true })]
  const known = keyPair({ issuer: authority, side: 'client', name: 'known' })
  const unknown = keyPair({ issuer: stranger, side: 'client', name: 'unknown' })
  const files = { 'server.pem': server.pem, 'trust.pem': authority.certificate.toString() }
  const toml = (word: string): string =>
    `${keystore}[truststore]\nfile_name = "trust.pem"\n[internal_api_ssl_config]\nparameter.sslVerifyClient = "${word}"\n`
  const showing = (pair: KeyPair | undefined, version: 'TLSv1.2' | 'TLSv1.3') => ({
    maxVersion: version,
    rejectUnauthorized: false,
    ...(pair && { cert: pair.certificate.toString(), key: pemOfKey(pair.key) }),
  })

  // Covers: I04
  it.each(
    (['TLSv1.2', 'TLSv1.3'] as const).flatMap(
      (version) =>
        [
          ['require', version, 'the right one', known, true],
          ['require', version, 'one of a stranger', unknown, false],
          ['require', version, 'none', undefined, false],
          ['optional', version, 'the right one', known, true],
          ['optional', version, 'one of a stranger', unknown, false],
          ['optional', version, 'none', undefined, true],
          ['false', version, 'one of a stranger', unknown, true],
        ] as const,
    ),
  )('sslVerifyClient = %s, %s, client shows %s', async (word, version, _, pair, isServed) => {
    const { port } = await serve({ toml: toml(word), files })
    const answer = await get(port, showing(pair, version))
    expect(answer === '200 hello').toBe(isServed)
  })

  // Covers: I04
  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'count after a session was resumed over %s, and no others',
    async (version) => {
      const { port } = await serve({ toml: toml('optional'), files })
      const sessionOf = async (pair: KeyPair | undefined): Promise<Buffer> => {
        const socket = await handshake(port, showing(pair, version))
        const session = version === 'TLSv1.2' ? socket.getSession() : ((await once(socket, 'session')) as [Buffer])[0]
        return session!
      }
      const clientSeen = async (session: Buffer, pair: KeyPair | undefined): Promise<string> =>
        get(port, { ...showing(pair, version), session, path: '/client' })

      expect(await clientSeen(await sessionOf(known), undefined)).toBe('200 true CN=known')
      expect(await clientSeen(await sessionOf(undefined), undefined)).toBe('200 false undefined')
      // Resumption shows no certificate, so the stranger is nobody; or there is a full handshake, and it is refused.
      expect(await clientSeen(await sessionOf(undefined), unknown)).not.toContain('unknown')
      const resumed = await handshake(port, { ...showing(unknown, version), session: await sessionOf(undefined) })
      expect(resumed.isSessionReused()).toBe(true)
    },
  )

  it('are those of the trust store as it is now', async () => {
    const { port, toml: path } = await serve({ toml: toml('require'), files })
    writeFileSync(join(path, '../trust.pem'), stranger.certificate.toString())
    await expect.poll(() => get(port, showing(unknown, 'TLSv1.2')), { timeout: 50_000 }).toBe('200 hello')
    expect(await get(port, showing(known, 'TLSv1.2'))).not.toBe('200 hello')
  })

  it('need a trust store that is there', async () => {
    const { security } = await opened({ toml: toml('require'), files: { 'server.pem': server.pem } })
    expect(() => security.createServer(express())).toThrow('truststore.file_name: names a file that is not there')
  })
})

describe('a changed certificate', () => {
  it('is found without a call', async () => {
    const { port, toml, entries } = await serve({ toml: keystore, files: { 'server.pem': server.pem } })
    for (const next of [keyPair(), keyPair()]) {
      writeFileSync(join(toml, '../server.pem'), next.pem)
      await expect.poll(() => fingerprintOf(port), { timeout: 25_000 }).toBe(next.certificate.fingerprint256)
    }
    expect(entries.filter(({ message }) => message === 'the certificate has changed and is in use')).toHaveLength(2)
  })

  it('comes with reload() at once; a broken one is refused and changes nothing', async () => {
    const { port, security, toml } = await serve({ toml: keystore, files: { 'server.pem': server.pem } })
    const file = join(toml, '../other.pem')
    const source = readFileSync(toml, 'utf8').replace('server.pem', 'other.pem')
    writeFileSync(toml, source)
    await expect(security.reload(toml)).rejects.toThrow(`${toml}:2:1 keystore.tls.file_name: names a file that is not`)
    expect(await fingerprintOf(port)).toBe(server.certificate.fingerprint256)
    const next = keyPair()
    writeFileSync(file, next.pem)
    await security.reload(toml)
    expect(await fingerprintOf(port)).toBe(next.certificate.fingerprint256)
  })

  it('that is broken stops no reload() without a server of https, and the next server', async () => {
    const { security, toml, entries } = await opened({ toml: keystore, files: { 'server.pem': server.pem } })
    const source = readFileSync(toml, 'utf8')
    const reloadWith = async (text: string): Promise<void> => {
      writeFileSync(toml, text)
      await security.reload(toml)
    }
    for (const _ of ['before the first server', 'after the last']) {
      await reloadWith(source.replace('server.pem', 'other.pem'))
      expect(() => security.createServer(express())).toThrow('names a file that is not there')
      await reloadWith(source)
      const made = security.createServer(express()).listen(0, '127.0.0.1')
      await once(made, 'listening')
      await new Promise((resolve) => made.close(resolve))
    }
    expect(entries.filter(({ level }) => level === 'error')).toEqual([])
  })

  it('is made by no reload() for a front without a server of https', async () => {
    const { security, toml, entries } = await opened({})
    await security.reload(toml)
    expect(entries.filter(({ message }) => message.includes('self-signed'))).toEqual([])
    expect(existsSync(join(toml, '..', tryOutFileName))).toBe(false)
  })

  // Covers: I05
  it('20 times under load fails no request, and each is shown at once', async () => {
    const { port, security, toml, entries } = await serve({ toml: keystore, files: { 'server.pem': server.pem } })
    const file = join(toml, '../server.pem')
    const answers: string[] = []
    let isOver = false
    const client = async (): Promise<void> => {
      while (!isOver) answers.push(await get(port, { rejectUnauthorized: false }))
    }
    const clients = Array.from({ length: 4 }, client)
    for (let swap = 0; swap < 20; swap++) {
      const next = swap % 2 === 0 ? rsaServer : keyPair()
      // As certbot and Kubernetes do it: beside the file, then renamed.
      writeFileSync(`${file}.new`, next.pem)
      renameSync(`${file}.new`, file)
      await security.reload(toml)
      expect(await fingerprintOf(port)).toBe(next.certificate.fingerprint256)
      const count = answers.length
      // Handshakes of before, during and after the exchange are over.
      while (answers.length < count + 2 * clients.length) await setImmediate()
    }
    isOver = true
    await Promise.all(clients)
    expect(answers.length).toBeGreaterThanOrEqual(20 * 2 * clients.length)
    expect([...new Set(answers)]).toEqual(['200 hello'])
    expect(entries.filter(({ level }) => level === 'error')).toEqual([])
  })
})
