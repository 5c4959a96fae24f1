import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CommandProcess } from '../../lib/cli/command.js'
import { coverageCommand } from '../../lib/cli/coverage.js'
import { diffCommand } from '../../lib/cli/diff.js'
import { explainCommand } from '../../lib/cli/explain.js'
import { runOne } from './one-command.js'

let home: string
let file: string

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'sallyport-explain-'))
  file = join(home, 'deployment.toml')
  writeFileSync(file, '[[internal_apis.users]]\nuser.name = "alice"\nuser.password = "made-up"\nuser.is_admin = true\n')
  writeFileSync(join(home, 'empty.mjs'), 'export const nothing = 1\n')
})
afterAll(() => rmSync(home, { recursive: true }))

const run = (create: (process: CommandProcess) => Command, ...args: readonly string[]) => runOne(create, args)

describe('sallyport explain', () => {
  it('knows the users of the file', async () => {
    const { code, stdout } = await run(explainCommand, file, '--path', '/configs', '--user', 'alice')
    expect(code).toBe(0)
    expect(stdout).toContain('passed: on to the app')
  })

  it.each([
    ['a user that the file does not have', ['--path', '/', '--user', 'bob'], 'the file has no such user'],
    ['a path without a slash', ['--path', 'orders'], '--path has to begin with a slash: write --path /orders'],
    ['what is no header', ['--path', '/', '--header', 'Accept'], 'is no header: write it like'],
    ['a portal that the file does not have', ['--path', '/', '--portal', 'nope'], 'is no portal of this configuration'],
  ])('says what is wrong with %s', async (_name, args, message) => {
    const { code, stdout, stderr } = await run(explainCommand, file, ...args)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain(message)
  })

  describe('of users whom an identity provider signs in', () => {
    const provider =
      '[[identity_provider]]\nname = "corp"\nissuer = "https://id.example.com"\nclient_id = "desk"\nrole_mapping = { g = "agent" }\nroles_claim = "groups"\n'
    const desk = '[portal.desk]\nroles = ["agent"]\nsign_in = ["corp"]\nsecond_factor = "all"\n'
    const issuer =
      '[management_api.trusted_issuer]\nissuer = "https://id.example.com"\naudience = "api"\nallow_unmapped = true\n'
    const ask = (source: string, ...args: readonly string[]) => {
      const own = join(home, 'providers.toml')
      writeFileSync(own, source)
      return run(explainCommand, own, ...args)
    }

    it('takes the roles that are given, as of a sign-in there', async () => {
      const args = ['--portal', 'desk', '--path', '/', '--user', 'CORP/bob']
      expect((await ask(provider + desk, ...args, '--roles', 'agent')).stdout).toContain('passed: on to the app')
      expect((await ask(provider + desk, ...args, '--roles', 'other')).stdout).toContain(
        'refused: 403 ERR_ROLE_REQUIRED',
      )
      expect((await ask(provider + desk, ...args)).stderr).toContain('say which roles "CORP/bob" has')
    })

    it('takes tokens of the trusted issuer for the management API, with its own domain and that of the provider', async () => {
      const args = ['--path', '/apis', '--roles', 'agent', '--user']
      const factor = '[management_api]\nsecond_factor = "all"\n'
      const trusted = await ask(factor + issuer, ...args, 'TRUSTED/bob')
      expect(trusted.stdout).toContain('passed: on to the app')
      const shared = await ask(`${provider}${issuer}domain_name = "CORP"\n`, ...args, 'CORP/bob')
      expect(shared.stdout).toContain('passed: on to the app')
    })

    it('says where they sign in when the management API takes none of their tokens', async () => {
      const { code, stderr } = await ask(provider, '--path', '/apis', '--roles', 'agent', '--user', 'CORP/bob')
      expect([code, stderr]).toEqual([1, expect.stringContaining('whose users sign in to portals: name a portal')])
    })
  })

  it('shows no control character and no header value', async () => {
    const secret = 'Bearer made-up-token'
    const args = [file, '--path', '/\u001b[2J', '--header', `Authorization: ${secret}`]
    const text = await run(explainCommand, ...args)
    const json = await run(explainCommand, ...args, '--json')
    expect(text.stdout).toContain('/\\u{1b}[2J')
    expect(`${text.stdout}${json.stdout}`).not.toContain('made-up-token')
    expect(JSON.parse(json.stdout)).toMatchObject({
      request: { subject: { type: 'user', id: 'anonymous' }, action: { name: 'GET' } },
      response: { decision: false, context: { status: 401, code: 'ERR_TOKEN_INVALID' } },
    })
  })
})

describe('sallyport coverage', () => {
  it('says so when the module makes no app', async () => {
    const { code, stderr } = await run(coverageCommand, join(home, 'empty.mjs'))
    expect([code, stderr]).toEqual([1, expect.stringContaining('makes no Express app that can be seen')])
  })

  it('takes no other words', async () => {
    const { code, stderr } = await run(coverageCommand, join(home, 'empty.mjs'), '--fail-on', 'opne')
    expect([code, stderr]).toEqual([1, expect.stringContaining('"opne" is none of public, user')])
  })
})

describe('sallyport diff', () => {
  it('ends with 0 where nothing is newly let in, and prints JSON', async () => {
    const { code, stdout } = await run(diffCommand, file, file, '--json')
    expect([code, JSON.parse(stdout)]).toEqual([0, { changes: [], notCompared: [] }])
  })

  const provider = '[[identity_provider]]\nname = "corp"\nissuer = "https://id.example.com"\nclient_id = "desk"\n'
  const mapping = 'roles_claim = "groups"\nrole_mapping = { g1 = "agent" }\n'
  const apiToken = `[[management_api.api_tokens]]\nname = "ci"\nexpires = 2030-01-01\nhash = "${'a'.repeat(64)}"\n`
  const issuer =
    '[management_api.trusted_issuer]\nissuer = "https://id.example.com"\naudience = "api"\nrole_mapping = { g1 = "agent" }\n'
  const oauth = '[oauth]\nenable = true\nissuer = "https://id.example.com/oauth"\n'
  const user = '[[internal_apis.users]]\nuser.name = "alice"\nuser.password = "made-up-1"\n'
  const icp = `[icp_config]\nenabled = true\nsecret = "key-1.${'s'.repeat(32)}"\n`
  const desk = '[portal.desk]\n'

  it.each([
    ['admin_roles of a provider', provider + mapping, 'admin_roles = ["g1"]\n', 'identity_provider[0].admin_roles', 7],
    ['a mapping of roles', provider + mapping, ['g1 =', 'g2 ='], 'identity_provider[0].role_mapping', 6],
    [
      'required_claims',
      provider + mapping,
      'required_claims = { a = "b" }\n',
      'identity_provider[0].required_claims',
      7,
    ],
    ['one more provider', '', provider + mapping, 'identity_provider[0]', 1],
    ['sign_in', `${provider}${mapping}${desk}`, 'sign_in = ["local", "corp"]\n', 'portal.desk.sign_in', 8],
    ['second_factor', desk, 'second_factor = "all"\n', 'portal.desk.second_factor', 2],
    ['second_factor of all portals', '[portal]\n', 'second_factor = "all"\n', 'portal.second_factor', 2],
    ['one more portal', '', desk, 'portal.desk', 1],
    ['admin of an API token', apiToken, 'admin = true\n', 'management_api.api_tokens[0].admin', 5],
    ['roles of an API token', apiToken, 'roles = ["x"]\n', 'management_api.api_tokens[0].roles', 5],
    ['allow of an API token', apiToken, 'allow = ["10.0.0.0/8"]\n', 'management_api.api_tokens[0].allow', 5],
    ['an API token', apiToken, ['aaaa', 'bbbb'], 'management_api.api_tokens[0].hash', 4],
    ['a trusted issuer', issuer, 'admin_roles = ["g1"]\n', 'management_api.trusted_issuer.admin_roles', 5],
    ['one more trusted issuer', '', issuer, 'management_api.trusted_issuer', 1],
    ['icp_config', icp, ['key-1', 'key-2'], 'icp_config.secret', 3],
    ['one more authorization server', '', oauth, 'oauth', 1],
    ['a life of tokens', oauth, 'access_token_expiry = "5m"\n', 'oauth.access_token_expiry', 4],
    ['an administrator', user, 'user.is_admin = true\n', 'internal_apis.users[0].user.is_admin', 4],
    ['a password', user, ['made-up-1', 'made-up-2'], 'internal_apis.users[0].user.password', 3],
  ] as const)('names what it does not compare: %s', async (_name, old, change, key, line) => {
    const [before, after] = [join(home, 'before.toml'), join(home, 'after.toml')]
    writeFileSync(before, old)
    writeFileSync(after, typeof change === 'string' ? old + change : old.replaceAll(change[0], change[1]))
    const { code, stdout } = await run(diffCommand, before, after)
    expect(code, stdout).toBe(1)
    expect(stdout).toContain(`changed, and not compared: ${key} ${after}:${line}:`)
    expect(stdout).toMatch(/ [1-9]\d* changed and not compared\n$/)
    expect(stdout).not.toMatch(/made-up|aaaa|bbbb|ssss/)
  })

  it('names second_factor as the rule that refuses a session without one', async () => {
    const [before, after] = [join(home, 'before.toml'), join(home, 'after.toml')]
    writeFileSync(before, `${desk}second_factor = "all"\n`)
    writeFileSync(after, desk)
    const { stdout } = await run(diffCommand, before, after)
    expect(stdout).toContain(`refused 401 ERR_SESSION_ENDED by portal.desk.second_factor ${before}:2:1`)
  })

  it('names a key that only the old file has, and none for what stands elsewhere or is written as the default', async () => {
    const [before, after] = [join(home, 'before.toml'), join(home, 'after.toml')]
    writeFileSync(before, `${provider}${mapping}admin_roles = ["g1"]\n`)
    writeFileSync(after, provider + mapping)
    const removed = await run(diffCommand, before, after)
    expect(removed.stdout).toContain(`changed, and not compared: identity_provider[0].admin_roles ${before}:7:1\n`)
    writeFileSync(before, `[portal.desk]\nsign_in = ["local"]\n${provider}${mapping}admin_roles = []\n`)
    writeFileSync(after, `${provider}${mapping}[portal.desk]\ntitle = "Desk"\n`)
    expect(await run(diffCommand, before, after)).toMatchObject({ code: 0 })
  })

  it('ends with 1 and says where a file is wrong', async () => {
    const broken = join(home, 'broken.toml')
    writeFileSync(broken, '[portal\n')
    const { code, stderr } = await run(diffCommand, file, broken)
    expect([code, stderr]).toEqual([1, expect.stringContaining('broken.toml:1')])
  })
})
