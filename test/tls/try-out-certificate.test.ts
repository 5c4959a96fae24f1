import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { tryOutCertificate, tryOutFileName } from '../../lib/tls/try-out-certificate.js'
import { dayMs, folderWith, keyPair } from '../helpers/key-files.js'

const now = Date.now()
const make = (directory: string, hostNames: readonly string[] = ['localhost'], at: number = now) =>
  tryOutCertificate({ directory, hostNames, now: at })

describe('a self-signed certificate for development', () => {
  it('is good for its host names and the loopback, for 90 days', () => {
    const { certificates, key, isNew } = make(folderWith(), ['api.example.com', '10.1.2.3', '*.example.org'])
    const [certificate] = certificates
    expect(isNew).toBe(true)
    expect(certificate?.checkPrivateKey(key)).toBe(true)
    expect(certificate?.verify(certificate.publicKey)).toBe(true)
    expect(certificate?.ca).toBe(false)
    for (const name of ['api.example.com', 'x.example.org', 'localhost']) {
      expect(certificate?.checkHost(name), name).toBeDefined()
    }
    for (const address of ['10.1.2.3', '127.0.0.1', '::1']) expect(certificate?.checkIP(address), address).toBeDefined()
    expect(certificate?.checkHost('other.example.com')).toBeUndefined()
    expect(Math.round((Date.parse(certificate!.validTo) - now) / dayMs)).toBe(90)
  })

  it.each(['', 'a b', 'https://x', '-', 'x'.repeat(300)])('leaves out %j, which cannot be a host name', (name) => {
    expect(make(folderWith(), [name]).certificates[0]?.subjectAltName).toBe(
      'DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
    )
  })

  it.skipIf(process.platform === 'win32')('does not wait for a pipe of its name, but replaces it', () => {
    const folder = folderWith()
    execFileSync('mkfifo', ['-m', '600', join(folder, tryOutFileName)])
    expect(make(folder).isNew).toBe(true)
    expect(statSync(join(folder, tryOutFileName)).isFile()).toBe(true)
  })

  it('is kept, with its key, where only the owner can read it', () => {
    const folder = folderWith()
    const [first, second] = [make(folder), make(folder)]
    expect([first.isNew, second.isNew]).toEqual([true, false])
    expect(second.certificates[0]?.fingerprint256).toBe(first.certificates[0]?.fingerprint256)
    expect(statSync(join(folder, tryOutFileName)).mode & 0o777).toBe(0o600)
  })

  it.each<[string, (file: string) => void]>([
    ['others could read it', (file) => chmodSync(file, 0o644)],
    ['it is something else', (file) => writeFileSync(file, 'something else')],
    ['its key is another', (file) => writeFileSync(file, keyPair().certificate + keyPair().pem)],
    ['it is too long', (file) => writeFileSync(file, `${readFileSync(file)}${'#'.repeat(70_000)}`)],
  ])('is made anew when %s', (_, change) => {
    const folder = folderWith()
    const first = make(folder)
    change(join(folder, tryOutFileName))
    const second = make(folder)
    expect(second.isNew).toBe(true)
    expect(second.certificates[0]?.fingerprint256).not.toBe(first.certificates[0]?.fingerprint256)
    expect(make(folder).isNew).toBe(false)
  })

  it('replaces a link and never writes through it', () => {
    const folder = folderWith({ 'target.pem': 'a target' })
    symlinkSync(join(folder, 'target.pem'), join(folder, tryOutFileName))
    expect(make(folder).isNew).toBe(true)
    expect(readFileSync(join(folder, 'target.pem'), 'utf8')).toBe('a target')
    expect(make(folder).isNew).toBe(false)
  })

  it.each([
    ['a host name was added', ['localhost', 'new.example'], now, true],
    ['a host name was taken away', ['localhost'], now, false],
    ['59 days have passed', ['localhost', 'old.example'], now + 59 * dayMs, false],
    ['61 days have passed', ['localhost', 'old.example'], now + 61 * dayMs, true],
    ['the clock was put back', ['localhost', 'old.example'], now - 3 * dayMs, true],
  ])('when %s, is new: %s', (_, hostNames, at, isNew) => {
    const folder = folderWith()
    make(folder, ['localhost', 'old.example'])
    expect(make(folder, hostNames, at).isNew).toBe(isNew)
  })

  it('lives in memory where it cannot be written', () => {
    const folder = folderWith()
    // A folder of this name cannot be replaced by a file.
    mkdirSync(join(folder, tryOutFileName))
    const { file, isNew } = make(folder)
    expect({ file, isNew }).toEqual({ file: undefined, isNew: true })
    expect(make(join(folder, 'no/such/folder')).file).toBeUndefined()
    expect(existsSync(join(folder, 'no'))).toBe(false)
  })
})
