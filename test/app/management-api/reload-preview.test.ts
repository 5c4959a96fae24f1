import { generateKeyPairSync } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import type { ReloadPreview } from '../../../lib/admin-api/schemas/reload.js'
import { wireSecurity } from '../../../lib/app/create-security.js'
import { loadConfig } from '../../../lib/config/load.js'
import { eventNames } from '../../../lib/core/events.js'
import { diffConfigs } from '../../../lib/explain/diff.js'
import { printDiff } from '../../../lib/explain/diff-output.js'
import { listUncompared } from '../../../lib/explain/uncompared.js'
import { basic, bearer, type Front, startFront, users } from '../../helpers/front.js'
import { holdFile } from '../../helpers/held-files.js'
import { folderWith, pemOfKey } from '../../helpers/key-files.js'
import { oneSetUp } from '../../helpers/set-ups.js'

vi.mock('../../../lib/files/read-file.js', async (importOriginal) => {
  const { withHolds } = await import('../../helpers/held-files.js')
  return withHolds(await importOriginal())
})

const newKey = (): string => pemOfKey(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)

/** Rules below `[management_api]`, and what stands behind. */
const toml = (rules = '', rest = ''): string => `
[management_api.jwt_token_security_handler]
token_config.algorithm = "ES256"
token_config.key_file = "key.pem"
[management_api]
${rules}
[[internal_apis.users]]
user.name = "admin"
user.password = "${users.admin.password}"
user.is_admin = true
[[internal_apis.users]]
user.name = "reader"
user.password = "${users.reader.password}"
${rest}
`

interface Stage extends Front {
  readonly file: string
  readonly token: string
  write(text: string): void
  preview(): Promise<ReloadPreview>
  /** Reloads with this body, or without one. */
  reload(body?: unknown): ReturnType<Front['call']>
  /** What happened but logins and refusals. */
  readonly happened: readonly { readonly name: string; readonly event: object }[]
}

async function start(text = toml()): Promise<Stage> {
  const folder = folderWith({ 'deployment.toml': text, 'key.pem': newKey() })
  const file = join(folder, 'deployment.toml')
  const front = await startFront(oneSetUp, { source: file })
  const token = bearer(await front.login())
  const happened: { name: string; event: object }[] = []
  for (const name of eventNames) {
    if (['login', 'refusal'].includes(name)) continue
    front.security.events.on(name, (event: object) => void happened.push({ name, event }))
  }
  return {
    ...front,
    file,
    token,
    happened,
    write: (next) => writeFileSync(file, next),
    async preview() {
      const answer = await front.call('GET', '/reload', [token])
      expect(answer.status, answer.body).toBe(200)
      for (const { password } of Object.values(users)) expect(answer.body).not.toContain(password)
      return answer.json<ReloadPreview>()
    },
    reload: (body) =>
      body === undefined
        ? front.call('POST', '/reload', [token])
        : front.call('POST', '/reload', [token, 'Content-Type: application/json'], JSON.stringify(body)),
  }
}

const open = 'public_paths = ["/apis"]'

describe('a preview', () => {
  it('says that nothing has changed', async () => {
    const { file, preview } = await start()
    expect(await preview()).toEqual({
      file,
      version: expect.stringMatching(/^[\w-]{43}$/),
      isChanged: false,
      problems: [],
      changed: [],
      atNextStart: [],
      widened: 0,
      narrowed: 0,
      notCompared: [],
      isComplete: true,
      diff: '0 newly let in, 0 newly refused, 0 changed and not compared',
    })
  })

  it('says what changes, now and at the next start, and what is newly let in, as diff does', async () => {
    const { file, write, preview } = await start()
    const before = join(folderWith({ 'before.toml': toml() }), 'before.toml')
    write(toml(`${open}\nlogin_throttle.max_failures = 9`))
    const { diff, ...shown } = await preview()
    expect(shown).toMatchObject({
      isChanged: true,
      problems: [],
      changed: ['management_api', 'management_api.login_throttle'],
      atNextStart: ['management_api.login_throttle'],
      widened: 1,
      // In another spelling, a public path is none.
      narrowed: 1,
      notCompared: [{ key: 'management_api.login_throttle.max_failures', position: { file, line: 7, column: 1 } }],
      isComplete: true,
    })
    expect(diff).toContain('newly let in: managementApi, GET, HEAD')
    const [old, next] = await Promise.all([loadConfig(before), loadConfig(file)])
    const changes = await diffConfigs(old, next, wireSecurity)
    expect(diff).toBe(printDiff({ changes, notCompared: listUncompared(old, next) }, { after: file }))
  })

  it('changes nothing, counts nothing and reports nothing', async () => {
    const { security, write, preview, call, token, happened, entries } = await start()
    const [before, count] = [security.config, entries.length]
    write(toml(`${open}\njwt_token_security_handler.enable = false`, '[portal.shop]\nsession_timeout = "5m"'))
    const [one, other] = [await preview(), await preview()]
    expect(one).toEqual(other)
    expect(security.config).toBe(before)
    expect(happened).toEqual([])
    expect(entries.slice(count)).toEqual([])
    expect((await call('GET', '/apis')).status).toBe(401)
    expect((await call('GET', '/sessions', [token])).json()['total']).toBe(1)
  })

  it('names all mistakes at once, of the file and of what it names', async () => {
    const { security, file, write, preview, reload } = await start()
    const before = security.config
    write(toml('alow = 1\ncors.allowed_origins = 7'))
    expect((await preview()).problems).toEqual([
      {
        key: 'management_api.alow',
        rule: 'is not a known key',
        position: { file, line: 6, column: 1 },
        suggestion: 'management_api.control_access.allow',
      },
      { key: 'management_api.cors.allowed_origins', rule: expect.any(String), position: { file, line: 7, column: 1 } },
    ])
    write(
      toml('', '[keystore.tls]\nfile_name = "nowhere.p12"\n')
        .replace('key.pem', 'nowhere.pem')
        .replace(users.reader.password, '$2b$10$broken'),
    )
    const shown = await preview()
    expect(shown.problems.map(({ key, position }) => [key, position?.line])).toEqual([
      ['management_api.jwt_token_security_handler.token_config.key_file', 4],
      ['internal_apis.users[1].user.password', 13],
    ])
    expect(shown).toMatchObject({ changed: [], widened: 0, diff: '' })
    const refused = await reload({ version: shown.version })
    expect([refused.status, refused.json()['code']]).toEqual([400, 'ERR_CONFIG_INVALID'])
    for (const { key } of shown.problems) expect(refused.json()['Error']).toContain(key)
    expect(security.config).toBe(before)
  })

  it('says that the file is gone, or no TOML', async () => {
    const { file, write, preview } = await start()
    write('[broken')
    expect((await preview()).problems).toMatchObject([{ key: 'TOML syntax', position: { file, line: 1 } }])
    rmSync(file)
    expect(await preview()).toMatchObject({ version: '', isChanged: true, problems: [{ key: file, position: null }] })
  })

  it('is not to be guessed passwords with: its version is no digest of the text alone', async () => {
    const [one, other] = [await start(), await start()]
    expect((await one.preview()).version).not.toBe((await other.preview()).version)
  })

  it('gives up a comparison that would keep the server busy, and says so', async () => {
    const { write, preview, call } = await start()
    const networks = Array.from({ length: 1001 }, (_, index) => `"10.${index >> 8}.${index & 255}.0/24"`)
    write(toml(`control_access.enable = true\ncontrol_access.allow = [${networks}]`))
    expect(await preview()).toMatchObject({
      isComplete: false,
      changed: ['management_api.control_access'],
      widened: 0,
      diff: expect.stringContaining('compare them with "npx sallyport diff"'),
    })
    expect((await call('GET', '/apis')).status).toBe(401)
  })

  it('is refused for a file that is far larger than any is', async () => {
    const { write, preview, reload } = await start()
    write(toml('', Array.from({ length: 20_000 }, (_, index) => `[t${index}]\na = 1`).join('\n')))
    expect((await preview()).problems).toMatchObject([{ rule: 'has more than 20000 values' }])
    expect((await reload()).status).toBe(400)
  })

  it('names the first mistakes of very many', async () => {
    const { write, preview } = await start()
    write(toml(Array.from({ length: 3000 }, (_, index) => `key_${index} = 1`).join('\n')))
    const { problems } = await preview()
    expect(problems).toHaveLength(500)
    expect(JSON.stringify(problems).length).toBeLessThan(200_000)
  })
})

describe('a reload with the version of a preview', () => {
  it('takes over what was shown', async () => {
    const { write, preview, reload, call, happened, file } = await start()
    write(toml(open))
    const { version } = await preview()
    expect((await reload({ version })).json()).toEqual({
      status: 'Reloaded',
      changed: ['management_api'],
      atNextStart: [],
    })
    expect((await call('GET', '/apis')).status).toBe(200)
    expect(happened).toMatchObject([{ name: 'reload', event: { by: 'admin', file } }])
    expect(await preview()).toMatchObject({ isChanged: false, version })
  })

  it('takes over no other file', async () => {
    const { security, write, preview, reload, happened, file } = await start()
    const before = security.config
    write(toml('# nothing'))
    const { version } = await preview()
    write(toml(open))
    const answer = await reload({ version })
    expect([answer.status, answer.json()['code']]).toEqual([409, 'ERR_CONFIG_CHANGED'])
    expect(security.config).toBe(before)
    expect(happened).toMatchObject([
      { name: 'reloadRefused', event: { by: 'admin', address: '127.0.0.1', file, problems: 0 } },
    ])
  })

  it('takes over what was shown also where the file is written meanwhile', async () => {
    const { write, preview, reload, call } = await start()
    write(toml('# nothing'))
    const { version } = await preview()
    const hold = holdFile('key.pem')
    const reloading = reload({ version })
    await hold.reached
    write(toml(open))
    hold.release()
    expect((await reloading).status).toBe(200)
    expect((await call('GET', '/apis')).status).toBe(401)
    expect((await preview()).isChanged).toBe(true)
  })

  it.each([
    [{}],
    [{ version: '' }],
    [{ version: 1 }],
    [{ version: ['a'] }],
    [{ verson: 'misspelled' }],
    [{ version: 'a', force: true }],
    [['version']],
  ])('is no reload of anything when the body is %j', async (body) => {
    const { security, write, reload } = await start()
    const before = security.config
    write(toml(open))
    expect((await reload(body)).status).toBe(400)
    expect(security.config).toBe(before)
  })
})

describe('an emptied file', () => {
  it.each([
    ['without a character', ''],
    ['with comments alone', '# nothing\n\n'],
  ])('%s is shown and refused, by every way to reload', async (_what, text) => {
    const { security, write, preview, reload, file, happened } = await start()
    const before = security.config
    write(text)
    expect((await preview()).problems).toMatchObject([
      { rule: expect.stringContaining('the file is empty'), position: { file, line: 1, column: 1 } },
    ])
    expect((await reload()).json()['Error']).toContain(`${file}:1:1 configuration: the file is empty`)
    await expect(security.reload(file, { by: 'SIGHUP' })).rejects.toThrow('the file is empty')
    expect(security.config).toBe(before)
    expect(happened).toMatchObject([
      { name: 'reloadRefused', event: { by: 'admin', reason: 'asked for', file, problems: 1 } },
      { name: 'reloadRefused', event: { by: 'SIGHUP', file, problems: 1 } },
    ])
    write('[management_api]')
    expect(await preview()).toMatchObject({ problems: [], isChanged: true })
  })

  it('stays what it is where a server was started with it', async () => {
    const folder = folderWith({ 'deployment.toml': '' })
    const file = join(folder, 'deployment.toml')
    const { security } = await startFront(oneSetUp, { source: file })
    await security.reload(file)
    expect(security.config.path).toBe(file)
  })
})

it('is not asked for by the page of another site, nor changed by its form', async () => {
  const file = join(folderWith({ 'deployment.toml': '', 'key.pem': newKey() }), 'deployment.toml')
  writeFileSync(file, toml('basic_security_handler.enable = true'))
  const { security, call } = await startFront(oneSetUp, { source: file })
  const before = security.config
  writeFileSync(file, toml(open))
  const login = basic(users.admin.name, users.admin.password)
  expect((await call('GET', '/reload', [login])).status).toBe(200)
  for (const [method, headers] of [
    ['GET', ['Sec-Fetch-Site: cross-site']],
    ['POST', ['Origin: https://evil.example']],
    ['POST', ['Content-Type: text/plain']],
  ] as const) {
    const answer = await call(method, '/reload', [login, ...headers], method === 'GET' ? undefined : '{"version":"a"}')
    expect([403, 415]).toContain(answer.status)
  }
  expect(security.config).toBe(before)
})
