import { once } from 'node:events'
import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { connect } from 'node:tls'
import { describe, expect, it, onTestFinished } from 'vitest'
import { locateProblems } from '../../lib/config/checks/origins.js'
import { loadConfig } from '../../lib/config/load.js'
import { openServerTls, type ServerTls } from '../../lib/tls/server-tls.js'
import { tryOutFileName } from '../../lib/tls/try-out-certificate.js'
import { dayMs, folderWith, keyPair, pemOfKey } from '../helpers/key-files.js'
import { type RecordedLog, recordedLog } from '../helpers/recorded-log.js'

interface Running extends RecordedLog {
  readonly tls: ServerTls
  readonly folder: string
  readonly file: string
  /** SHA-256 fingerprint of what a new client is shown. */
  readonly shown: () => Promise<string>
  /** Turns the clock. */
  readonly pass: (ms: number) => void
}

/** A server with the TLS of a deployment.toml, without the rest. Its files are only looked at when a test says so. */
async function run(toml: string, files: Readonly<Record<string, string>> = {}): Promise<Running> {
  const folder = folderWith({ 'deployment.toml': toml, ...files })
  let now = Date.now()
  const log = recordedLog()
  const tls = await openServerTls(await loadConfig(join(folder, 'deployment.toml')), {
    logger: log.logger,
    clock: () => now,
    home: undefined,
    locate: locateProblems,
  })
  const server = https.createServer(tls.start())
  tls.follow(server)
  // The timer would look as well.
  tls.close()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo

  async function shown(): Promise<string> {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
    try {
      await once(socket, 'secureConnect')
      return socket.getPeerCertificate().fingerprint256
    } finally {
      socket.destroy()
    }
  }
  function pass(ms: number): void {
    now += ms
  }
  return { ...log, tls, folder, file: join(folder, 'server.pem'), shown, pass }
}

const keystore = '[keystore.tls]\nfile_name = "server.pem"\n'
const server = keyPair()

describe('a changed certificate file', () => {
  it('is shown to the next client', async () => {
    const { tls, file, shown, entries } = await run(keystore, { 'server.pem': server.pem })
    await tls.check()
    expect(await shown()).toBe(server.certificate.fingerprint256)
    expect(entries).toEqual([])
    const next = keyPair()
    writeFileSync(file, next.pem)
    await tls.check()
    expect(await shown()).toBe(next.certificate.fingerprint256)
    expect(entries.map(({ message }) => message)).toEqual(['the certificate has changed and is in use'])
  })

  it.each([
    ['half of it', server.pem.slice(0, server.pem.length / 2)],
    ['a key of another', server.certificate + pemOfKey(keyPair().key)],
    ['one that has expired', keyPair({ from: new Date(0), to: new Date(dayMs) }).pem],
    ['nothing', undefined],
  ])('that is %s is logged once, the old one stays, and the next good one is taken', async (_, text) => {
    const { tls, file, shown, entries } = await run(keystore, { 'server.pem': server.pem })
    if (text === undefined) rmSync(file)
    else writeFileSync(file, text)
    await tls.check()
    await tls.check()
    expect(entries).toHaveLength(1)
    expect(entries[0]).toMatchObject({ level: 'error', message: expect.stringContaining('the previous one stays: ') })
    expect(entries[0]?.message).toContain('deployment.toml:2:1 keystore.tls.file_name')
    expect(await shown()).toBe(server.certificate.fingerprint256)

    const good = keyPair()
    writeFileSync(file, good.pem)
    await tls.check()
    expect(await shown()).toBe(good.certificate.fingerprint256)
  })

  it('may come in two files, one after the other', async () => {
    const toml = '[keystore.tls]\nfile_name = "server.crt"\nkey_file = "server.key"\n'
    const files = { 'server.crt': server.certificate.toString(), 'server.key': pemOfKey(server.key) }
    const { tls, folder, shown } = await run(toml, files)
    const next = keyPair()
    writeFileSync(join(folder, 'server.crt'), next.certificate.toString())
    await tls.check()
    expect(await shown()).toBe(server.certificate.fingerprint256)
    writeFileSync(join(folder, 'server.key'), pemOfKey(next.key))
    await tls.check()
    expect(await shown()).toBe(next.certificate.fingerprint256)
  })

  it('leaves connections that are open alone', async () => {
    const { tls, file } = await run(keystore, { 'server.pem': server.pem })
    const other = https.createServer(tls.start(), (_request, response) => void response.end('hello'))
    tls.follow(other)
    tls.close()
    other.listen(0, '127.0.0.1')
    await once(other, 'listening')
    onTestFinished(() => void other.close())
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1 })
    onTestFinished(() => agent.destroy())
    const { port } = other.address() as AddressInfo
    const get = async (): Promise<number | undefined> => {
      const [socket] = await once(https.get({ port, host: '127.0.0.1', agent, rejectUnauthorized: false }), 'response')
      socket.resume()
      await once(socket, 'end')
      return socket.socket?.localPort
    }
    const before = await get()
    writeFileSync(file, keyPair().pem)
    await tls.check()
    expect(await get()).toBe(before)
  })
})

describe('a certificate that ends', () => {
  it('is warned about 30 days before, and once a day from then on', async () => {
    const soon = keyPair({ to: new Date(Date.now() + 40 * dayMs) })
    const { tls, entries, pass } = await run(keystore, { 'server.pem': soon.pem })
    const counts: number[] = []
    for (const days of [0, 9, 2, 0.1, 1]) {
      pass(days * dayMs)
      await tls.check()
      counts.push(
        entries.filter(({ message }) => /^keystore\.tls: names a certificate that expires on/.test(message)).length,
      )
    }
    expect(counts).toEqual([0, 0, 1, 1, 2])
  })
})

describe('the self-signed certificate for development', () => {
  it('takes the place of the key store that WSO2 comes with, with its fingerprint and a warning', async () => {
    const { folder, shown, entries } = await run('[keystore.primary]\nfile_name = "wso2carbon.jks"\n')
    const file = join(folder, tryOutFileName)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(entries).toHaveLength(1)
    expect(entries[0]?.message).toContain(await shown())
    expect(entries[0]?.message).toContain(file)
    expect(entries[0]?.message).toContain('a self-signed certificate for development')
  })

  it('does not take the place of any other', async () => {
    const toml = '[keystore.tls]\nfile_name = "mine.jks"\n'
    await expect(run(toml)).rejects.toThrow('keystore.tls.file_name: names a file that is not there')
  })

  it('is kept between starts', async () => {
    const first = await run('')
    const second = await openServerTls(await loadConfig(join(first.folder, 'deployment.toml')), {
      logger: first.logger,
      clock: Date.now,
      home: undefined,
      locate: locateProblems,
    })
    const cert = second.start().cert as string
    expect(first.entries[1]?.message).toBe(first.entries[0]?.message)
    expect(cert).toContain('BEGIN CERTIFICATE')
  })

  it('is renewed before it ends', async () => {
    const { tls, shown, pass, entries } = await run('')
    const first = await shown()
    pass(59 * dayMs)
    await tls.check()
    expect(await shown()).toBe(first)
    expect(entries).toHaveLength(1)
    pass(2 * dayMs)
    await tls.check()
    expect(await shown()).not.toBe(first)
    expect(entries).toHaveLength(2)
  })

  it('gives way to a key store that appears, which then stays', async () => {
    const { tls, folder, shown, entries } = await run('')
    const file = join(folder, 'repository/resources/security/wso2carbon.jks')
    const pair = keyPair()
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, pair.pem)
    await tls.check()
    expect(await shown()).toBe(pair.certificate.fingerprint256)
    rmSync(file)
    await tls.check()
    expect(await shown()).toBe(pair.certificate.fingerprint256)
    expect(entries.at(-1)?.message).toContain('keystore.primary.file_name: names a file that is not there any more')
  })

  it('is not made for a server that is never asked for', async () => {
    const folder = folderWith({ 'deployment.toml': '' })
    const config = await loadConfig(join(folder, 'deployment.toml'))
    const tls = await openServerTls(config, {
      logger: recordedLog().logger,
      clock: Date.now,
      home: undefined,
      locate: locateProblems,
    })
    await tls.check()
    tls.close()
    expect(existsSync(join(folder, tryOutFileName))).toBe(false)
  })
})

describe('another configuration', () => {
  it('changes nothing before it is exchanged, and is refused when its key store cannot be used', async () => {
    const { tls, folder, shown } = await run(keystore, { 'server.pem': server.pem })
    const next = keyPair()
    const toml = join(folder, 'next.toml')
    writeFileSync(toml, keystore.replace('server', 'next'))
    const broken = await tls.load(await loadConfig(toml))
    expect(broken).toThrow('next.toml:2:1 keystore.tls.file_name')
    writeFileSync(join(folder, 'next.pem'), next.pem)
    const { swap } = (await tls.load(await loadConfig(toml)))()
    expect(await shown()).toBe(server.certificate.fingerprint256)
    swap()
    expect(await shown()).toBe(next.certificate.fingerprint256)
    writeFileSync(toml, '')
    expect(await tls.load(await loadConfig(toml))).toThrow('is not there any more')
  })
})
