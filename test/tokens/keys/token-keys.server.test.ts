import { execFileSync } from 'node:child_process'
import { createPublicKey } from 'node:crypto'
import { join } from 'node:path'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { document, startFront } from '../../helpers/front.js'
import { folderWith } from '../../helpers/key-files.js'
import { oneSetUp } from '../../helpers/set-ups.js'

const password = 'the-store-password'

/** Makes a key store with `keytool`, and answers the public key of its certificate. */
function makeStore(
  folder: string,
  name: string,
  type: string,
  key: readonly string[],
): ReturnType<typeof createPublicKey> {
  const store = ['-keystore', join(folder, name), '-storetype', type, '-storepass', password, '-alias', 'signing']
  execFileSync('keytool', ['-genkeypair', '-dname', 'CN=tokens', '-keypass', password, ...key, ...store], {
    stdio: 'ignore',
  })
  return createPublicKey(
    execFileSync('keytool', ['-exportcert', '-rfc', ...store], { stdio: ['ignore', 'pipe', 'ignore'] }),
  )
}

const rsa = ['-keyalg', 'RSA', '-keysize', '2048']
const ec = ['-keyalg', 'EC', '-groupname', 'secp256r1']

// Covers: B19
describe('tokens signed with a key of a store that keytool made', () => {
  it.each([
    ['JKS', rsa, 'RS256'],
    ['JKS', ec, 'ES256'],
    ['PKCS12', rsa, 'RS256'],
    ['PKCS12', ec, 'ES256'],
  ])('are verified by whoever has the certificate, or reads /jwks: %s, %j', async (type, key, algorithm) => {
    const folder = folderWith()
    const publicKey = makeStore(folder, 'store', type, key)
    const primary = { file_name: 'store', password, alias: 'signing', key_password: password }
    const source = document({ jwt: { token_config: { keystore: 'primary' } }, root: { keystore: { primary } } })
    const [one, other] = [
      await startFront(oneSetUp, { source, options: { home: folder } }),
      await startFront(oneSetUp, { source, options: { home: folder } }),
    ]
    const token = await one.login()
    const { protectedHeader } = await jwtVerify(token, publicKey, {
      algorithms: [algorithm],
      audience: 'management-api',
    })
    expect(protectedHeader.alg).toBe(algorithm)
    const keySet = (await other.call('GET', '/jwks')).json<Parameters<typeof createLocalJWKSet>[0]>()
    expect((await jwtVerify(token, createLocalJWKSet(keySet))).payload.sub).toBe('admin')
  })
})
