import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import type { CommandProcess } from '../../lib/cli/command.js'
import { type InitShared, type OpenManagedStore, openManagedStore } from '../../lib/cli/store-command.js'
import { rolesCommand, usersCommand } from '../../lib/cli/users.js'
import { ConfigError } from '../../lib/core/errors.js'
import { MemoryUserStore, storeFailure } from '../helpers/memory-user-store.js'

const newStore = (): MemoryUserStore =>
  new MemoryUserStore({
    users: {
      root: { password: 'Root-password-1', roles: ['admin'] },
      bob: { password: 'Bob-password-3', roles: [] },
    },
    roles: ['viewers'],
  })

/** Runs `sallyport users` in this process. */
async function run(
  args: readonly string[],
  { input = '', store = newStore(), open, command = usersCommand, shared = 'none' }: Options = {},
): Promise<Outcome> {
  const stdin = Object.assign(new PassThrough(), { isTTY: false }) as unknown as NodeJS.ReadStream
  ;(stdin as unknown as PassThrough).end(input)
  const [out, err] = [[] as string[], [] as string[]]
  const stderr = { write: (text: string) => err.push(text) } as unknown as NodeJS.WritableStream
  const process: CommandProcess = { stdin, stderr, stdout: { write: (text) => out.push(text) } }
  const files: string[] = []
  const openStore: OpenManagedStore = async (path) => {
    files.push(path)
    return { store, init: async () => void store.calls.push('init') }
  }
  await command(process, open ?? openStore, async () => shared).parseAsync(args, { from: 'user' })
  return { code: process.exitCode ?? 0, stdout: out.join(''), stderr: err.join(''), store, files }
}

interface Options {
  readonly input?: string
  readonly store?: MemoryUserStore
  readonly open?: OpenManagedStore
  readonly command?: typeof usersCommand
  readonly shared?: Awaited<ReturnType<InitShared>>
}

interface Outcome {
  readonly code: number | string
  readonly stdout: string
  readonly stderr: string
  readonly store: MemoryUserStore
  readonly files: readonly string[]
}

describe('sallyport users', () => {
  it('lists the users, and closes the store', async () => {
    const { code, stdout, stderr, store, files } = await run(['list'])
    expect({ code, stdout, stderr, files }).toEqual({
      code: 0,
      stdout: 'bob\nroot\n',
      stderr: '',
      files: ['deployment.toml'],
    })
    expect(store.isClosed).toBe(true)
  })

  it('takes another file', async () => {
    expect((await run(['list', '--config', 'other.toml'])).files).toEqual(['other.toml'])
  })

  it('shows nothing that a terminal would obey', async () => {
    const store = new MemoryUserStore({ users: { 'a\u001b[2J\u202eb': { password: 'x', roles: [] } } })
    expect((await run(['list'], { store })).stdout).toBe('a\\u{1b}[2J\\u{202e}b\n')
  })

  it('makes the tables', async () => {
    expect((await run(['init'])).store.calls).toEqual(['init'])
  })

  it('says when there is nothing to make', async () => {
    const open: OpenManagedStore = async () => ({ store: newStore() })
    expect(await run(['init'], { open })).toMatchObject({
      code: 1,
      stderr: 'This user store needs nothing to be made.\n',
    })
  })

  it('makes those of the shared store alone where the users are in the file', async () => {
    expect(await run(['init'], { shared: 'all' })).toMatchObject({
      code: 0,
      stdout: 'The tables are there.\n',
      files: [],
    })
  })

  it('makes those of the shared store where the users need none, or are those of WSO2', async () => {
    const open: OpenManagedStore = async () => ({ store: newStore() })
    expect(await run(['init'], { open, shared: 'made' })).toMatchObject({ code: 0, stderr: '' })
    const init = async () => {
      throw new ConfigError([{ key: 'datasource.url', rule: 'has users already' }])
    }
    const withUsers: OpenManagedStore = async () => ({ store: newStore(), init })
    expect(await run(['init'], { open: withUsers, shared: 'made' })).toMatchObject({
      code: 0,
      stderr: 'datasource.url: has users already\n',
    })
    expect(await run(['init'], { open: withUsers })).toMatchObject({ code: 1 })
  })

  it.each([
    [['add', 'alice'], false],
    [['add', 'alice', '--admin'], true],
  ])('%j adds a user with the first line of the input', async (args, isAdmin) => {
    const { code, stdout, store } = await run(args, { input: 'Alice-password\nmore' })
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'Added alice.\n' })
    expect((await store.authenticate('alice', 'Alice-password')).account).toMatchObject({ isAdmin })
  })

  it.each([
    [['add', 'alice', '--admin'], { event: 'userAdded', subject: 'alice', isAdmin: true, message: 'user added' }],
    [['passwd', 'bob'], { event: 'passwordChanged', subject: 'bob' }],
    [['grant', 'bob', 'viewers'], { event: 'rolesChanged', subject: 'bob', added: ['viewers'], removed: [] }],
    [['revoke', 'bob', 'viewers'], { event: 'rolesChanged', subject: 'bob', added: [], removed: ['viewers'] }],
    [['remove', 'bob'], { event: 'userRemoved', subject: 'bob' }],
    [['disable', 'bob'], { event: 'userDisabled', subject: 'bob' }],
    [['enable', 'bob'], { event: 'userEnabled', subject: 'bob' }],
    [['add', 'testers'], { event: 'roleAdded', role: 'testers' }, rolesCommand],
    [['remove', 'viewers'], { event: 'roleRemoved', role: 'viewers' }, rolesCommand],
  ])('%j leaves one line that says who did it, without the password', async (args, event, command = usersCommand) => {
    const { stderr } = await run(args, { input: 'A-new-password', command })
    expect(stderr.match(/\n/g)).toHaveLength(1)
    expect(JSON.parse(stderr)).toMatchObject({ level: 'info', by: userInfo().username, ...event })
    expect(stderr).not.toContain('A-new-password')
  })

  it.each([[['add', 'bob']], [['remove', 'nobody']], [['remove', 'root']]])(
    '%j, which fails, leaves none',
    async (args) => {
      const { code, stderr } = await run(args, { input: 'A-new-password' })
      expect(code).toBe(1)
      expect(stderr).not.toContain('"event"')
    },
  )

  it('warns of a short password', async () => {
    expect((await run(['add', 'alice'], { input: 'seven77' })).stderr).toContain('fewer than 8')
  })

  it('sets a password', async () => {
    const { store } = await run(['passwd', 'bob'], { input: 'Other-password\n' })
    expect(await store.authenticate('bob', 'Other-password')).toHaveProperty('account')
  })

  it('takes no password as an argument', async () => {
    const command = usersCommand({ stderr: {} } as CommandProcess, async () => ({ store: newStore() }))
    const passwd = command.commands.find((one) => one.name() === 'passwd')!
    passwd.exitOverride().configureOutput({ writeErr: () => {} })
    await expect(command.parseAsync(['passwd', 'bob', 'Secret-word-9'], { from: 'user' })).rejects.toThrow(
      'too many arguments',
    )
  })

  it('removes a user, gives roles and takes them', async () => {
    const store = newStore()
    expect((await run(['grant', 'bob', 'admin'], { store })).stdout).toBe('Gave admin to bob.\n')
    expect(await store.listMembers('admin')).toEqual(['bob', 'root'])
    expect((await run(['revoke', 'root', 'admin'], { store })).stdout).toBe('Took admin from root.\n')
    expect(await store.listMembers('admin')).toEqual(['bob'])
    expect((await run(['remove', 'root'], { store })).stdout).toBe('Removed root.\n')
    expect(await store.list({})).toEqual(['bob'])
  })

  it('disables a user and enables it again', async () => {
    const store = newStore()
    expect((await run(['disable', 'bob'], { store })).stdout).toBe('Disabled bob.\n')
    expect(await store.findDisabled('bob')).toBeDefined()
    expect((await run(['enable', 'bob'], { store })).stdout).toBe('Enabled bob.\n')
    expect(await store.find('bob')).toBeDefined()
  })

  it('says where users cannot be disabled', async () => {
    const store = Object.assign(newStore(), { setDisabled: undefined }) as unknown as MemoryUserStore
    const { code, stderr } = await run(['disable', 'bob'], { store })
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('cannot be disabled') })
  })

  it.each([
    [['disable', 'root'], 'The last administrator must stay one.\n'],
    [['enable', 'nobody'], 'There is no such user.\n'],
    [['remove', 'root'], 'The last administrator must stay one.\n'],
    [['revoke', 'ROOT', 'Admin'], 'The last administrator must stay one.\n'],
    [['remove', 'nobody'], 'There is no such user.\n'],
    [['grant', 'bob', 'nothing'], 'There is no such role.\n'],
    [['add', 'bob'], 'There is a user with this name.\n'],
  ])('ends with 1 for %j and says why', async (args, stderr) => {
    const { code, stdout, ...rest } = await run(args, { input: 'Some-password\n' })
    expect({ code, stdout, stderr: rest.stderr }).toEqual({ code: 1, stdout: '', stderr })
  })

  it('ends with 1 when the store fails, and closes it', async () => {
    const store = newStore()
    store.failure = storeFailure()
    expect(await run(['list'], { store })).toMatchObject({
      code: 1,
      stderr: 'the user store cannot be reached (ECONNREFUSED)\n',
    })
    expect(store.isClosed).toBe(true)
  })

  it('tells where in the file a mistake is that only the store finds', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'sallyport-')), 'deployment.toml')
    const lines = [
      '[internal_apis.file_user_store]',
      'enable = false',
      '[user_store]',
      'type = "database"',
      'password_digest = "ROT13"',
      '[[datasource]]',
      'id = "WSO2CarbonDB"',
      'url = "jdbc:sqlite:./users.db"',
    ]
    writeFileSync(path, lines.join('\n'))
    const { code, stdout, stderr } = await run(['list', '--config', path], { open: openManagedStore })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain(`${path}:5:1 user_store.password_digest: must be SHA-256`)
  })

  it('ends with 1 while the users of the file are in effect, and makes none', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'sallyport-')), 'deployment.toml')
    writeFileSync(file, '')
    const { code, stderr } = await run(['list', '--config', file], { open: openManagedStore })
    expect(code).toBe(1)
    expect(stderr).toContain('[[internal_apis.users]] in the file itself')
  })
})

describe('sallyport roles', () => {
  it('adds, lists and removes roles', async () => {
    const store = newStore()
    const options = { store, command: rolesCommand }
    expect((await run(['add', 'Internal/testers'], options)).stdout).toBe('Added Internal/testers.\n')
    expect((await run(['list'], options)).stdout).toBe('Internal/everyone\nInternal/testers\nadmin\nviewers\n')
    expect((await run(['remove', 'Internal/testers'], options)).stdout).toBe('Removed Internal/testers.\n')
    expect(await store.listRoles()).not.toContain('Internal/testers')
    expect(store.isClosed).toBe(true)
  })

  it.each([
    [['add', 'viewers'], 'There is a role with this name.\n'],
    [['remove', 'nothing'], 'There is no such role.\n'],
    [['remove', 'admin'], 'The role of administrators cannot be removed.\n'],
  ])('ends with 1 for %j and says why', async (args, stderr) => {
    const { code, stdout, ...rest } = await run(args, { command: rolesCommand })
    expect({ code, stdout, stderr: rest.stderr }).toEqual({ code: 1, stdout: '', stderr })
  })
})
