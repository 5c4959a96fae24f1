import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSecurity } from '../../../lib/app/create-security.js'
import { ConfigError } from '../../../lib/core/errors.js'
import { fileUserStore } from '../../../lib/users/file/file-user-store.js'
import { hashPassword } from '../../../lib/users/passwords/password-hash.js'
import { recordedLog } from '../../helpers/recorded-log.js'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-hashes-'))
const file = join(folder, 'deployment.toml')
afterAll(() => rmSync(folder, { recursive: true }))

let hash = ''
beforeAll(async () => {
  hash = await hashPassword('Correct-horse-1')
})

async function problemsOf(lines: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const { logger, lines: logged } = recordedLog()
  writeFileSync(file, lines.join('\n'))
  const error: unknown = await createSecurity(file, { logger, env, home: folder }).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(ConfigError)
  expect(`${error} ${JSON.stringify((error as ConfigError).problems)} ${logged}`).not.toContain(hash.slice(-20))
  return (error as ConfigError).message.replaceAll(`${folder}/`, '')
}

// Covers: A05
describe('a password of the file that is a hash with something around it', () => {
  const userLines = (name: string, password: string) => ['[[internal_apis.users]]', `user.name = "${name}"`, password]

  it('stops the start, all of them at once, each with its place and the cure', async () => {
    writeFileSync(join(folder, 'password'), ` ${hash}\n`)
    const message = await problemsOf(
      [
        ...userLines('blank', `user.password = " ${hash}"`),
        ...userLines('quotes', `user.password = '"${hash}"'`),
        ...userLines('named', `user.password = "alice:${hash}"`),
        ...userLines('folded', `user.password = """${hash.slice(0, 30)}`),
        `${hash.slice(30)}"""`,
        ...userLines('environment', 'user.password = "$env{ADMIN_HASH}"'),
        ...userLines('secret', 'user.password = "$secret{admin}"'),
        ...userLines('foreign', 'user.password = "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g="'),
        ...userLines('good', `user.password = "${hash}"`),
        ...userLines('plain', 'user.password = "correct horse battery staple"'),
        '[secrets]',
        'admin = "$file{password}"',
      ],
      { ADMIN_HASH: `{bcrypt}${hash}` },
    )
    const alone = 'does not stand alone'
    const places = [
      ['3:1', 'blank', alone],
      ['6:1', 'quotes', alone],
      ['9:1', 'named', alone],
      ['12:1', 'folded', alone],
      ['16:1', 'environment', alone],
      ['19:1', 'secret', alone],
      ['22:1', 'foreign', 'is a kind of hash that is not known'],
    ] as const
    const found = message.split('\n').filter((line) => line.includes('deployment.toml:'))
    expect(found).toHaveLength(places.length)
    for (const [index, [place, name, rule]] of places.entries()) {
      expect(found[index]).toContain(
        `deployment.toml:${place} internal_apis.users[${index}].user.password: user "${name}"`,
      )
      expect(found[index]).toContain(`has a password hash that ${rule}`)
      expect(found[index]).toContain('sallyport hash-password')
    }
  })

  it('stops a reload, and the users before stay in effect', async () => {
    const { logger } = recordedLog()
    writeFileSync(file, userLines('alice', `user.password = "${hash}"`).join('\n'))
    await using security = await createSecurity(file, { logger, home: folder })
    writeFileSync(file, userLines('alice', `user.password = "${hash}\\n"`).join('\n'))
    await expect(security.reload(file)).rejects.toThrow('does not stand alone')
    expect(await security.users.authenticate('alice', 'Correct-horse-1')).toMatchObject({
      account: { subject: 'alice' },
    })
  })

  it('stops a store that is made by hand', async () => {
    const users = [{ name: 'alice', password: `alice:${hash}`, isAdmin: false, roles: [] }]
    await expect(fileUserStore({ users })).rejects.toMatchObject({
      name: 'ConfigError',
      problems: [
        { key: 'internal_apis.users[0].user.password', rule: expect.stringContaining('does not stand alone') },
      ],
    })
  })
})

describe('the password of the break-glass account', () => {
  it.each([
    ['a blank before the hash', () => ` ${hash}`],
    ['a blank after the hash', () => `${hash} `],
    ['a hash that was cut off', () => hash.slice(0, -2)],
    ['a bcrypt hash of too low a cost', () => `$2b$03$${'a'.repeat(53)}`],
    ['a plain password', () => 'Correct-horse-1'],
  ])('stops the start with its place when it is %s', async (_what, password) => {
    const message = await problemsOf([
      '[management_api.break_glass]',
      'enable = true',
      'user = "emergency"',
      `password = "${password()}"`,
      'allow = ["127.0.0.1"]',
    ])
    expect(message).toMatch(
      /deployment\.toml:4:\d+ management_api\.break_glass\.password: must be a (?:password )?hash/,
    )
  })
})
