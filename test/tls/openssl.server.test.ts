/** What openssl and curl see of a server. */

import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import express from 'express'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createSecurity } from '../../lib/app/create-security.js'
import { loadConfig } from '../../lib/config/load.js'
import { loadTrustStore } from '../../lib/tls/key-stores/key-store.js'
import { tryOutFileName } from '../../lib/tls/try-out-certificate.js'
import { folderWith, keyPair } from '../helpers/key-files.js'
import { recordedLog } from '../helpers/recorded-log.js'
import { make, run } from './tools.js'

const users = '[[internal_apis.users]]\nuser.name = "root"\nuser.password = "Correct-horse-1"\n'

/** Serves what the deployment.toml of a folder says, over https, and answers the port. */
async function serve(folder: string, toml = ''): Promise<number> {
  const file = join(folder, 'deployment.toml')
  writeFileSync(file, `${toml}\n${users}`)
  const security = await createSecurity(file, { logger: recordedLog().logger })
  onTestFinished(() => security.close())
  const app = express()
  app.get('/', (_request, response) => void response.send('hello'))
  const server = security.createServer(app, { protocol: 'https' }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return (server.address() as AddressInfo).port
}

const client = (port: number, ...args: string[]) =>
  run('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-brief', ...args])

/** Both kinds of key, because each has suites of its own. */
async function servers(): Promise<readonly number[]> {
  const toml = '[keystore.tls]\nfile_name = "server.pem"\n'
  const pairs = [keyPair(), keyPair({ type: 'rsa' })]
  return Promise.all(pairs.map(({ pem }) => serve(folderWith({ 'server.pem': pem }), toml)))
}

describe('openssl s_client', () => {
  // Covers: I01
  it.each([
    ['tls1', false],
    ['tls1_1', false],
    ['tls1_2', true],
    ['tls1_3', true],
  ] as const)('with -%s gets a connection: %s', async (version, isServed) => {
    for (const port of await servers()) {
      const { code, output } = await client(port, `-${version}`, '-cipher', 'DEFAULT@SECLEVEL=0')
      expect(output.includes('CONNECTION ESTABLISHED'), output).toBe(isServed)
      expect(code === 0).toBe(isServed)
      if (!isServed) expect(output).toContain('alert protocol version')
    }
  })

  // Covers: I02
  it('finds six suites of TLS 1.2 among all that it knows', async () => {
    const { output } = await run('openssl', ['ciphers', '-s', '-tls1_2', 'ALL:COMPLEMENTOFALL@SECLEVEL=0'])
    const known = output.trim().split(':')
    expect(known.length).toBeGreaterThan(50)
    const offered = new Set<string>()
    for (const port of await servers()) {
      // Ask with what is left until the server has nothing in common with it any more.
      for (let rest = known; ; ) {
        const { output: answer } = await client(port, '-tls1_2', '-cipher', `${rest.join(':')}@SECLEVEL=0`)
        const suite = /Ciphersuite: (\S+)/.exec(answer)?.[1]
        if (suite === undefined) {
          expect(answer).toContain('alert handshake failure')
          break
        }
        offered.add(suite)
        rest = rest.filter((name) => name !== suite)
      }
    }
    expect([...offered].sort()).toEqual([
      'ECDHE-ECDSA-AES128-GCM-SHA256',
      'ECDHE-ECDSA-AES256-GCM-SHA384',
      'ECDHE-ECDSA-CHACHA20-POLY1305',
      'ECDHE-RSA-AES128-GCM-SHA256',
      'ECDHE-RSA-AES256-GCM-SHA384',
      'ECDHE-RSA-CHACHA20-POLY1305',
    ])
  })

  it('verifies the chain and the host name of what the commands of the documents make', async () => {
    const folder = folderWith()
    await runDocumented('openssl', folder)
    for (const name of ['server.p12', 'server.pem']) {
      const key = name === 'server.pem' ? '\nkey_file = "server.key"' : '\npassword = "store-password"'
      const port = await serve(folder, `[keystore.tls]\nfile_name = "${name}"${key}\n`)
      const check = ['-CAfile', join(folder, 'ca.pem'), '-verify_return_error', '-x509_strict']
      const right = await client(port, ...check, '-verify_hostname', 'localhost')
      expect(right.output).toContain('Verification: OK')
      expect(right.output).toContain('Verified peername: localhost')
      const wrong = await client(port, ...check, '-verify_hostname', 'other.example.com')
      expect(wrong.output).toContain('hostname mismatch')
      expect(wrong.code).not.toBe(0)
    }
  })
})

describe('a key of openssl', () => {
  const certificateOf = (folder: string, key: string, ...args: string[]) =>
    make(
      folder,
      'openssl',
      ...['req', '-x509', '-key', key, '-subj', '/CN=localhost', '-days', '90', '-out', 'cert.pem', ...args],
    )

  async function keyIn(type: string, ...args: string[]): Promise<string> {
    const folder = folderWith()
    if (type === 'dsa') {
      await make(folder, 'openssl', 'dsaparam', '-genkey', '-noout', '-out', 'key.pem', '2048')
    } else {
      const options = args.flatMap((option) => ['-pkeyopt', option])
      await make(folder, 'openssl', 'genpkey', '-algorithm', type, ...options, '-out', 'key.pem')
    }
    await certificateOf(folder, 'key.pem')
    return folder
  }

  const toml = '[keystore.tls]\nfile_name = "cert.pem"\nkey_file = "key.pem"\n'
  const onCurve = (name: string): readonly [string, string] => ['EC', `ec_paramgen_curve:${name}`]

  it.each([
    ['of the type dsa', ['dsa']],
    ['on the curve secp256k1', onCurve('secp256k1')],
    ['on the curve brainpoolP256r1', onCurve('brainpoolP256r1')],
    ['on the curve brainpoolP384r1', onCurve('brainpoolP384r1')],
    ['on the curve secp224r1', onCurve('secp224r1')],
  ] as const)('%s stops the start, because no handshake would succeed', async (name, [type, ...args]) => {
    const folder = await keyIn(type, ...args)
    await expect(serve(folder, toml)).rejects.toThrow(
      `keystore.tls.file_name: names a key ${name}, which no client of TLS`,
    )
  })

  it.each([
    ['RSA', ['RSA', 'rsa_keygen_bits:2048']],
    ['RSA-PSS', ['RSA-PSS', 'rsa_keygen_bits:2048']],
    ['P-256', onCurve('P-256')],
    ['P-384', onCurve('P-384')],
    ['P-521', onCurve('P-521')],
    ['Ed25519', ['ED25519']],
    ['Ed448', ['ED448']],
  ] as const)('of %s serves', async (_name, [type, ...args]) => {
    const { output } = await client(await serve(await keyIn(type, ...args), toml))
    expect(output).toContain('CONNECTION ESTABLISHED')
  })

  it.each([
    [['RSA', 'rsa_keygen_bits:2048'], 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'an EC key'],
    [onCurve('P-256'), 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'an RSA key'],
  ] as const)('%j with suites of another stops the start: %s needs %s', async ([type, ...args], suite, other) => {
    const suites = `[internal_api_ssl_config]\nparameter.httpsProtocols = "TLSv1.2"\nparameter.preferredCiphers = "${suite}"\n`
    const folder = await keyIn(type, ...args)
    await expect(serve(folder, toml + suites)).rejects.toThrow(`all cipher suites that are offered need ${other}`)
  })
})

describe('a client that never says hello', () => {
  // Covers: I07
  it('is cut off', async () => {
    const socket = connect(await serve(folderWith()), '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    socket.on('error', () => {})
    await once(socket, 'close')
    expect(socket.bytesWritten).toBe(0)
  })
})

describe('curl --cacert', () => {
  const curl = (port: number, file: string, host = '127.0.0.1') =>
    run('curl', ['-sS', '--cacert', file, '--resolve', `${host}:${port}:127.0.0.1`, `https://${host}:${port}/`])

  it.each(['127.0.0.1', 'localhost', 'api.example.com'])('takes the self-signed certificate for %s', async (host) => {
    const folder = folderWith()
    const port = await serve(folder, '[server]\nhostname = "api.example.com"\n')
    expect(await curl(port, join(folder, tryOutFileName), host)).toEqual({ code: 0, output: 'hello' })
  })

  it('takes it for no other host, and does not take it without being told', async () => {
    const folder = folderWith({ 'other.pem': keyPair().pem })
    const port = await serve(folder)
    expect((await curl(port, join(folder, tryOutFileName), 'other.example.com')).output).toContain('SSL')
    expect((await curl(port, join(folder, 'other.pem'))).output).toMatch(/certificate/)
  })

  it.each(['keytool.p12', 'keytool.jks'])(
    'takes the certificate of %s, made by the commands of the documents',
    async (name) => {
      const folder = folderWith()
      await runDocumented('keytool', folder)
      const port = await serve(folder, `[keystore.tls]\nfile_name = "${name}"\npassword = "store-password"\n`)
      expect(await curl(port, join(folder, 'keytool.pem'))).toEqual({ code: 0, output: 'hello' })
      writeFileSync(join(folder, 'trust.toml'), '[truststore]\nfile_name = "trust.p12"\npassword = "store-password"\n')
      const trusted = await loadTrustStore((await loadConfig(join(folder, 'trust.toml'))).keyStores.trust!)
      expect(trusted.map(({ subject }) => subject)).toEqual(['CN=localhost'])
    },
  )
})

/** Runs the block of docs/tls-and-secrets.md with this mark. */
async function runDocumented(mark: string, folder: string): Promise<void> {
  const page = readFileSync(new URL('../../docs/tls-and-secrets.md', import.meta.url), 'utf8')
  const [, commands] = new RegExp(`^\\x60{3}sh ${mark}\\n(.*?)^\\x60{3}`, 'ms').exec(page) ?? []
  expect(commands).toBeDefined()
  await make(folder, 'sh', '-euc', commands ?? '')
}
