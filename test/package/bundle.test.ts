import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { hashSync } from 'bcryptjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'sallyport-bundle-'))
const require = createRequire(import.meta.url)
const execute = promisify(execFile)

/** Starts the front of a bundle with one user, logs in, and prints what happens. */
const program = `
const [, , bundle, password] = process.argv
const config = { internal_apis: { users: [{ user: { name: 'alice', password } }] } }
const logger = { info() {}, warn() {}, error() {} }
try {
  const { createSecurity } = await import(bundle)
  const security = await createSecurity(config, { logger })
  const { account } = await security.users.authenticate('alice', 'Correct-horse-1')
  await security.close()
  console.log('logged in as ' + account?.subject)
} catch (error) {
  console.log(error.code, error.message)
}
`

/** A folder with the bundle and these packages in it, and no others. */
function folderOf(name: string, packages: readonly string[]): string {
  for (const one of packages) {
    const link = join(folder, name, 'node_modules', one)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(realpathSync(join(root, 'node_modules', one)), link)
  }
  writeFileSync(join(folder, name, 'program.mjs'), program)
  return join(folder, name)
}

const formats = { esm: 'bundle.mjs', cjs: 'bundle.cjs' } as const
let folders: Record<'bare' | 'whole', string>

beforeAll(async () => {
  folders = {
    bare: folderOf('bare', ['@node-rs/argon2']),
    whole: folderOf('whole', ['@node-rs/argon2', 'bcryptjs']),
  }
  // esbuild comes with tsx.
  const { build } = createRequire(require.resolve('tsx/package.json'))('esbuild') as {
    build(options: object): Promise<unknown>
  }
  for (const target of Object.values(folders)) {
    for (const [format, file] of Object.entries(formats)) {
      await build({
        entryPoints: [join(root, 'lib/index.ts')],
        bundle: true,
        platform: 'node',
        format,
        outfile: join(target, file),
        external: ['@node-rs/argon2'],
        logLevel: 'silent',
      })
    }
  }
}, 120_000)
afterAll(() => rmSync(folder, { recursive: true }))

async function outcome(where: keyof typeof folders, format: keyof typeof formats, password: string): Promise<string> {
  const target = folders[where]
  const { stdout } = await execute(process.execPath, ['program.mjs', join(target, formats[format]), password], {
    cwd: target,
    timeout: 60_000,
  })
  return stdout.trim()
}

describe.each(['esm', 'cjs'] as const)('an app that esbuild bundles to %s', (format) => {
  it('logs in a user with a plain password', async () => {
    expect(await outcome('bare', format, 'Correct-horse-1')).toBe('logged in as alice')
  })

  it('is told at the start, by name, that bcrypt hashes need a package that is not beside it', async () => {
    const told = await outcome('bare', format, hashSync('Correct-horse-1', 4))
    expect(told).toMatch(
      /^ERR_CONFIG_MISSING_PACKAGE internal_apis\.users\[0\]\.user\.password: .*npm install bcryptjs/,
    )
  })
})

describe('an app that esbuild bundles, with bcryptjs beside it', () => {
  it('logs in a user with a bcrypt hash when it is an ES module', async () => {
    expect(await outcome('whole', 'esm', hashSync('Correct-horse-1', 4))).toBe('logged in as alice')
  })

  it('is told at the start that it has to be an ES module otherwise', async () => {
    expect(await outcome('whole', 'cjs', hashSync('Correct-horse-1', 4))).toContain('must be an ES module')
  })
})
