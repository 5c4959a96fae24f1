import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { newFolder } from '../audit/open-trail.js'
import { basic, startFront, users } from '../helpers/front.js'
import { oneSetUp } from '../helpers/set-ups.js'
import { openShell, type Shell } from './run-command.js'

interface Deployed {
  readonly shell: Shell
  readonly file: string
  readonly toml: string
  readonly anchor: string
}

/** A trail that a front has written, and the configuration that it had. */
async function deploy(): Promise<Deployed> {
  const folder = newFolder()
  const toml = join(folder, 'deployment.toml')
  const [file, anchor] = [join(folder, 'audit.log'), join(folder, 'anchor')]
  writeFileSync(
    toml,
    `[management_api.jwt_token_security_handler]
token_config.algorithm = "EdDSA"
token_config.key_file = "token-key.pem"
[audit_trail]
file = "audit.log"
anchor_file = "anchor"
[[internal_apis.users]]
user.name = "admin"
user.password = "${users.admin.password}"
user.is_admin = true
`,
  )
  const shell = openShell()
  const { rotateKeyFile } = await import('../../lib/tokens/keys/key-file.js')
  await rotateKeyFile(join(folder, 'token-key.pem'), {
    algorithm: 'EdDSA',
    rsaBits: 2048,
    overlapMs: 0,
    now: Date.now(),
  })
  const front = await startFront(oneSetUp, { source: toml })
  await front.login()
  await front.call('GET', '/login', [basic('\u202emallory', 'Wrong-password-1')])
  await front.close()
  return { shell, file, toml, anchor }
}

describe('sallyport audit verify', () => {
  it('finds a trail sound, by the files, the anchor and the key that the configuration names', async () => {
    const { shell, toml } = await deploy()
    const { code, stdout } = await shell.run(['audit', 'verify', '--config', toml])
    expect(code).toBe(0)
    expect(stdout).toMatch(
      /^Sound: 6 lines, 1 to 6, .*\nSigned up to line 5, at .*\. The 1 line after it could have been written anew\.\n2 anchors compared\.\n$/,
    )
  })

  it('reads no lock of the process that writes, as audit.log* names it', async () => {
    const { shell, file } = await deploy()
    writeFileSync(`${file}.lock`, '{"pid":1}')
    expect((await shell.run(['audit', 'verify', file, `${file}.lock`])).code).toBe(0)
  })

  it('says what it cannot know without a key and an anchor', async () => {
    const { shell, file } = await deploy()
    const { code, stdout } = await shell.run(['audit', 'verify', file])
    expect(code).toBe(0)
    expect(stdout).toContain('2 checkpoints, not verified')
    expect(stdout).toContain('No anchor: nothing shows that the end was not cut off.')
  })

  it('verifies elsewhere with the key that "audit key" has printed, as JWK Set, JWK or anchor text', async () => {
    const { shell, file, toml, anchor } = await deploy()
    const { stdout: jwks } = await shell.run(['audit', 'key', '--config', toml])
    const [jwksFile, keyFile] = [`${file}-jwks`, `${file}-key`]
    writeFileSync(jwksFile, jwks)
    writeFileSync(keyFile, JSON.stringify(JSON.parse(jwks).keys[0]))
    expect(jwks).not.toContain('"d"')
    for (const key of [
      ['--jwks', jwksFile],
      ['--key', keyFile],
    ]) {
      const text = readFileSync(anchor, 'utf8').trim().split('\n').at(-1)!
      const { code, stdout } = await shell.run(['audit', 'verify', file, ...key, '--anchor', text])
      expect([code, stdout]).toEqual([0, expect.stringMatching(/Signed up to line 5[\s\S]*1 anchor compared/)])
    }
  })

  it('ends with 1 and says where a line was changed, and where the end is missing', async () => {
    const { shell, file, toml } = await deploy()
    const text = readFileSync(file, 'utf8')
    writeFileSync(file, text.replace('"actor":"admin"', '"actor":"bobby"'))
    const changed = await shell.run(['audit', 'verify', '--config', toml])
    expect(changed).toMatchObject({ code: 1, stdout: expect.stringContaining(`${file}:3: line 3 was changed`) })
    writeFileSync(file, text.split('\n').slice(0, 3).join('\n') + '\n')
    const cut = await shell.run(['audit', 'verify', '--config', toml, '--json'])
    expect(cut.code).toBe(1)
    expect(JSON.parse(cut.stdout)).toMatchObject({ problemCount: 1, last: 3 })
  })

  it('finds a trail sound that has its first line only, and says that it is not signed yet', async () => {
    const { shell, file, toml } = await deploy()
    const [first, , ...others] = readFileSync(file, 'utf8').split('\n')
    const jwks = `${file}-jwks`
    writeFileSync(jwks, (await shell.run(['audit', 'key', '--config', toml])).stdout)
    const verify = async (...more: readonly string[]) => shell.run(['audit', 'verify', file, '--jwks', jwks, ...more])
    writeFileSync(file, `${first}\n`)
    const young = await verify()
    expect([young.code, young.stdout]).toEqual([0, expect.stringContaining('\nNot signed yet: ')])
    expect((await verify('--anchor', `${toml.replace('deployment.toml', 'anchor')}`)).code).toBe(1)
    writeFileSync(file, [first, ...others.slice(0, 1), ''].join('\n'))
    expect((await verify()).code).toBe(1)
  })

  it('does not go on without the anchor that the configuration names', async () => {
    const { shell, toml, anchor } = await deploy()
    rmSync(anchor)
    expect(await shell.run(['audit', 'verify', '--config', toml])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/audit_trail\.anchor_file cannot be read, .*ENOENT/),
    })
  })

  it.each([
    [['verify'], 2, 'Name the files'],
    [['verify', 'no-such-file'], 1, 'ENOENT'],
    [['show'], 2, 'Name the file'],
    [['show', 'x', '--since', 'yesterday'], 2, '--since must be'],
    [['show', 'x', '--limit', '0'], 2, '--limit must be'],
  ])('refuses %j with %i', async (line, code, message) => {
    const outcome = await openShell().run(['audit', ...line])
    expect(outcome).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(message) })
  })
})

describe('sallyport audit show', () => {
  it('is a table on a terminal, the newest last, without what a terminal would obey', async () => {
    const { shell, file } = await deploy()
    const { stdout } = await shell.run(['audit', 'show', file], { isTTY: true })
    const lines = stdout.split('\n')
    expect(lines[0]).toMatch(/^TIME +ACTION +OUTCOME +ACTOR +ADDRESS +TARGET +WHY$/)
    expect(lines.slice(1, 7).map((line) => line.split(/ {2,}/)[1])).toEqual([
      'trailStarted',
      'checkpoint',
      'login',
      'loginRefused',
      'trailStopped',
      'checkpoint',
    ])
    expect(stdout).toContain('\\u{202e}mallory')
    expect(stdout).not.toContain('\u202e')
  })

  it('is JSON elsewhere, and shows what is asked for', async () => {
    const { shell, file, toml } = await deploy()
    const show = async (...options: string[]): Promise<readonly string[]> => {
      const { stdout } = await shell.run(['audit', 'show', '--config', toml, ...options])
      return (JSON.parse(stdout) as { action: string }[]).map(({ action }) => action)
    }
    expect(file).toContain('audit.log')
    expect(await show('--user', 'admin')).toEqual(['login'])
    expect(await show('--since', '1h', '--outcome', 'failure')).toEqual(['loginRefused'])
    expect(await show('--until', '1h')).toEqual([])
    expect(await show('--limit', '2')).toEqual(['trailStopped', 'checkpoint'])
    expect(await show('--action', 'login', '--address', '127.0.0.1')).toEqual(['login'])
  })
})

it('audit key says where each start makes its own key', async () => {
  const toml = join(newFolder(), 'deployment.toml')
  writeFileSync(
    toml,
    '[audit_trail]\nfile = "audit.log"\n[[internal_apis.users]]\nuser.name = "a"\nuser.password = "a-password-1"\n',
  )
  const outcome = await openShell().run(['audit', 'key', '--config', toml])
  expect(outcome).toMatchObject({ code: 1, stderr: expect.stringContaining('each start makes its own key') })
})
