/** A directory server for tests: the slapd of the distribution's package, with password policies, member-of and TLS. */

import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'ldapts'
import { certificatesIn, type DatabaseServer, startDatabaseServer, type TestCertificates } from './database-server.js'
import { freePort } from './free-port.js'

/** Suffix of the directory. */
export const suffix = 'dc=example,dc=org'
/** The account that a user store searches and writes with. Password policies hold for what it does. */
export const service = { dn: `cn=service,${suffix}`, password: 'service-secret' } as const
/** The one whom nothing is refused. */
export const manager = { dn: `cn=manager,${suffix}`, password: 'manager-secret' } as const
/** A policy that locks after three wrong passwords, lets them expire, and asks for a change after a reset. */
export const strictPolicy = `cn=strict,ou=policies,${suffix}`

/** A policy that warns at every login that the password will expire. */
export const warningPolicy = `cn=warning,ou=policies,${suffix}`

/** An entry: its name, and values by attribute. */
export type LdifEntry = readonly [dn: string, attributes: Readonly<Record<string, string | readonly string[]>>]

/** A running slapd. */
export interface Slapd extends DatabaseServer {
  /** `ldap://127.0.0.1:port`. */
  readonly url: string
  /** `ldaps://localhost:port`: the certificate is for that name only. */
  readonly tlsUrl: string
  /** The port behind `tlsUrl`. */
  readonly tlsPort: number
  /** PEM file with the authority of the certificate. */
  readonly caFile: string
  /** Makes another authority and another certificate, for the next start. */
  changeCertificate(): void
  /** Does something as {@link manager}. */
  manage<T>(work: (client: Client) => Promise<T>): Promise<T>
}

/** Options of {@link startSlapd}. */
export interface SlapdOptions {
  /** Entries beside the suffix, the service account and the policies. */
  readonly entries?: readonly LdifEntry[]
  /** Whether it offers StartTLS. @defaultValue `true` */
  readonly hasTls?: boolean
}

const schemaFolder = '/etc/ldap/schema'

/** Starts a server. */
export async function startSlapd({ entries = [], hasTls = true }: SlapdOptions = {}): Promise<Slapd> {
  const tlsPort = await freePort()
  const server = await startDatabaseServer({
    user: 'openldap',
    prepare(folder) {
      writeFileSync(join(folder, 'slapd.conf'), configuration(hasTls ? certificatesIn(folder) : undefined, folder))
      writeFileSync(join(folder, 'data.ldif'), ldif([...baseEntries, ...entries]))
      return [
        ['mkdir', join(folder, 'data')],
        ['/usr/sbin/slapadd', '-q', '-f', join(folder, 'slapd.conf'), '-l', join(folder, 'data.ldif')],
      ]
    },
    command: (folder, port) => [
      '/usr/sbin/slapd',
      ...['-d', '0', '-f', join(folder, 'slapd.conf')],
      ...['-h', `ldap://127.0.0.1:${port}/${hasTls ? ` ldaps://localhost:${tlsPort}/` : ''}`],
    ],
    check: (port) => bound(`ldap://127.0.0.1:${port}`, async () => {}),
  })
  return {
    ...server,
    tlsPort,
    url: `ldap://127.0.0.1:${server.port}`,
    tlsUrl: `ldaps://localhost:${tlsPort}`,
    caFile: join(server.folder, 'ca.pem'),
    changeCertificate() {
      rmSync(join(server.folder, 'server.pem'))
      certificatesIn(server.folder)
    },
    manage: (work) => bound(`ldap://127.0.0.1:${server.port}`, work),
  }
}

/** A user as directories have them. */
export function userEntry(name: string, password: string, base: string, more: LdifEntry[1] = {}): LdifEntry {
  const attributes = { objectClass: 'inetOrgPerson', uid: name, cn: name, sn: name, userPassword: password }
  return [`uid=${dnValue(name)},${base}`, { ...attributes, ...more }]
}

/** A group; one without members has itself as a member. */
export function groupEntry(name: string, members: readonly string[], base: string): LdifEntry {
  const dn = `cn=${dnValue(name)},${base}`
  return [dn, { objectClass: 'groupOfNames', cn: name, member: members.length > 0 ? members : dn }]
}

/** Entries that others stand below. */
export function folderEntry(dn: string): LdifEntry {
  return [dn, { objectClass: 'organizationalUnit', ou: dn.slice('ou='.length, dn.indexOf(',')) }]
}

/** Every character in hex, written apart from the library so that the two check one another. */
export function dnValue(name: string): string {
  return [...Buffer.from(name)].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('')
}

const baseEntries: readonly LdifEntry[] = [
  [suffix, { objectClass: ['dcObject', 'organization'], dc: 'example', o: 'example' }],
  [
    service.dn,
    { objectClass: ['organizationalRole', 'simpleSecurityObject'], cn: 'service', userPassword: service.password },
  ],
  folderEntry(`ou=policies,${suffix}`),
  policyEntry(`cn=default,ou=policies,${suffix}`, { pwdMinLength: '5', pwdCheckQuality: '1' }),
  policyEntry(warningPolicy, { pwdMaxAge: '999999999', pwdExpireWarning: '999999998' }),
  policyEntry(strictPolicy, { pwdLockout: 'TRUE', pwdMaxFailure: '3', pwdMaxAge: '86400', pwdMustChange: 'TRUE' }),
]

function policyEntry(dn: string, rules: LdifEntry[1]): LdifEntry {
  return [
    dn,
    { objectClass: ['pwdPolicy', 'device'], cn: dn.slice(3, dn.indexOf(',')), pwdAttribute: 'userPassword', ...rules },
  ]
}

function configuration(tls: TestCertificates | undefined, folder: string): string {
  const schemas = ['core', 'cosine', 'inetorgperson', 'nis'].map((name) => `include ${schemaFolder}/${name}.schema`)
  return [
    ...schemas,
    "objectclass ( 2.25.1000.1 NAME 'identityPerson' SUP inetOrgPerson STRUCTURAL )",
    'modulepath /usr/lib/ldap',
    ...['back_mdb', 'ppolicy', 'memberof'].map((name) => `moduleload ${name}`),
    'allow bind_anon_cred',
    'threads 4',
    ...(tls === undefined
      ? []
      : [
          `TLSCACertificateFile ${tls.ca}`,
          `TLSCertificateFile ${tls.certificate}`,
          `TLSCertificateKeyFile ${tls.key}`,
        ]),
    'database mdb',
    `suffix "${suffix}"`,
    `rootdn "${manager.dn}"`,
    `rootpw ${manager.password}`,
    `directory ${join(folder, 'data')}`,
    'maxsize 268435456',
    'dbnosync',
    'index objectClass,uid,cn,member,memberOf,memberUid eq',
    `access to attrs=userPassword by dn.exact="${service.dn}" write by anonymous auth by * none`,
    `access to * by dn.exact="${service.dn}" write by * read`,
    'overlay memberof',
    'overlay ppolicy',
    `ppolicy_default "cn=default,ou=policies,${suffix}"`,
    'ppolicy_use_lockout',
    'ppolicy_hash_cleartext',
    '',
  ].join('\n')
}

function ldif(entries: readonly LdifEntry[]): string {
  const line = (name: string, value: string): string => `${name}:: ${Buffer.from(value).toString('base64')}`
  const texts = entries.map(([dn, attributes]) =>
    [
      line('dn', dn),
      ...Object.entries(attributes).flatMap(([name, values]) => [values].flat().map((value) => line(name, value))),
    ].join('\n'),
  )
  return `${texts.join('\n\n')}\n`
}

async function bound<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ url, timeout: 60_000, connectTimeout: 60_000 })
  try {
    await client.bind(manager.dn, manager.password)
    return await work(client)
  } finally {
    await client.unbind()
  }
}
