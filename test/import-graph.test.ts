import { readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import {
  filesBelow,
  modulesReachedFrom,
  packagesReachedFrom,
  resolveRelative,
  staticImportsOf,
} from './helpers/static-imports.js'

const lib = fileURLToPath(new URL('../lib/', import.meta.url))

/** One import between two files of lib; both paths are relative to lib. */
interface Edge {
  readonly from: string
  readonly to: string
  readonly isTypeOnly: boolean
}

/** The operators' page is bundled, and `npm run check` checks it with types of its own. */
const modules = filesBelow(lib, '.ts').filter((name) => !name.startsWith('console/page/'))

const edges: readonly Edge[] = modules.flatMap((from) =>
  staticImportsOf(lib + from)
    .filter(({ specifier }) => specifier.startsWith('.'))
    .map(({ specifier, isTypeOnly }) => ({
      from,
      to: resolveRelative(lib + from, specifier).slice(lib.length),
      isTypeOnly,
    })),
)

/** Edges that exist at run time, as text. */
function runTimeEdges(from: RegExp, to: RegExp): readonly string[] {
  return edges
    .filter((edge) => !edge.isTypeOnly && from.test(edge.from) && to.test(edge.to))
    .map((edge) => `${edge.from} -> ${edge.to}`)
}

describe('what an import of the package loads', () => {
  const reached = (): readonly string[] => packagesReachedFrom(`${lib}index.ts`)

  it('is exactly these packages', () => {
    expect(reached().filter((name) => !isBuiltin(name))).toEqual([
      '@node-rs/argon2',
      'cors',
      'helmet',
      'jose',
      'lru-cache',
      'smol-toml',
      'zod',
    ])
  })

  it('names the built-in modules with node:', () => {
    expect(reached().filter((name) => isBuiltin(name) && !name.startsWith('node:'))).toEqual([])
  })

  it('is nothing that reads a file of the configuration for sallyport/middleware', () => {
    const packages = packagesReachedFrom(`${lib}middleware.ts`).filter((name) => !isBuiltin(name))
    expect(packages).toEqual(['@node-rs/argon2', 'cors', 'jose', 'lru-cache', 'zod'])
    expect(modulesReachedFrom(`${lib}middleware.ts`).filter((file) => file.startsWith(`${lib}config/`))).toEqual([])
  })

  it('is nothing of requests, tokens and users for sallyport/config', () => {
    expect(packagesReachedFrom(`${lib}config.ts`).filter((name) => !isBuiltin(name))).toEqual(['smol-toml', 'zod'])
  })

  it('is no driver of a database for sallyport/sql until a URL names one', () => {
    const packages = packagesReachedFrom(`${lib}sql.ts`).filter((name) => !isBuiltin(name))
    expect(packages).toEqual(['@node-rs/argon2', 'lru-cache'])
  })

  it('is ldapts for sallyport/ldap', () => {
    const packages = packagesReachedFrom(`${lib}ldap.ts`).filter((name) => !isBuiltin(name))
    expect(packages).toEqual(['@node-rs/argon2', 'ldapts'])
  })

  it('is no reader of a format for sallyport/tls until a key store has it', () => {
    expect(packagesReachedFrom(`${lib}tls.ts`).filter((name) => !isBuiltin(name))).toEqual([])
  })

  it('is nothing of oidc-provider for sallyport/oauth until a server is made', () => {
    const packages = packagesReachedFrom(`${lib}oauth.ts`).filter((name) => !isBuiltin(name))
    expect(packages).not.toContain('oidc-provider')
    expect(packages).not.toContain('koa')
  })

  it('is nothing of the authorization server for the package itself', () => {
    const modules = modulesReachedFrom(`${lib}index.ts`)
    expect(modules.filter((file) => file.startsWith(`${lib}oauth/`))).toEqual([])
    expect(modules.length).toBeGreaterThan(100)
  })

  it.each(['index', 'middleware', 'config', 'ldap', 'oauth', 'sql', 'testing', 'tls'])(
    'is no module with import.meta from %s, so that Jest can compile it to CommonJS',
    (entry) => {
      const modules = modulesReachedFrom(`${lib}${entry}.ts`)
      expect(modules.filter((file) => readFileSync(file, 'utf8').includes('import.meta.url'))).toEqual([])
    },
  )

  it('is nothing for the types of sallyport/express but our own', () => {
    expect(packagesReachedFrom(`${lib}express.ts`)).toEqual([])
  })
})

describe('what the folders of lib may import', () => {
  it('has every relative import name a file', () => {
    const files = new Set(modules)
    expect(edges.length).toBeGreaterThan(0)
    expect(edges.filter(({ to }) => !files.has(to))).toEqual([])
  })

  it.each([
    ['a middleware imports no other middleware', /^middleware\//, /^middleware\//],
    ['a middleware sees types of the configuration only', /^middleware\//, /^config\//],
    ['a middleware sees no implementation of a store', /^middleware\//, /^(tokens|users)\/.+-(token|user)-store\.ts$/],
    ['the core knows nothing of what is built on it', /^core\//, /^(?!core\/|async\/)/],
    ['the configuration knows nothing of tokens and users', /^config\//, /^(tokens|users)\//],
    ['the configuration knows nothing of the request path', /^config\//, /^(http|middleware|admin-api|portals|app)\//],
    [
      'tokens know nothing of users, requests and configuration',
      /^tokens\//,
      /^(users|http|middleware|admin-api|config|app)\//,
    ],
    [
      'users know nothing of tokens, requests and configuration',
      /^users\//,
      /^(tokens|http|middleware|admin-api|config|app)\//,
    ],
    [
      'addresses and paths know nothing of the parts that use them',
      /^(addresses|paths)\//,
      /^(?!addresses\/|paths\/|http\/|core\/|async\/)[a-z-]+\//,
    ],
    [
      'the request path knows nothing of the parts that use it',
      /^http\//,
      /^(?!http\/|addresses\/|paths\/|core\/|async\/|internal\/)[a-z-]+\//,
    ],
    ['what waits and works in the background knows nothing of what for', /^async\//, /^(?!async\/)/],
    ['files know nothing of what they hold', /^files\//, /^(?!files\/|core\/|async\/)/],
    [
      'only the wiring, the command and explanations read the configuration',
      /^(?!config\/|cli\/|app\/|explain\/|config\.ts)/,
      /^config\//,
    ],
    ['only the command and the wiring explain', /^(?!explain\/|cli\/|app\/)/, /^explain\//],
    [
      'only the public surface and the command import the wiring',
      /^(?!(index|middleware)\.ts|cli\/|app\/|testing\/)/,
      /^app\/(create-security|auth-core)\.ts$/,
    ],
    ['nothing imports the public surface', /^/, /^(index|middleware|config|express|ldap|oauth|sql|testing|tls)\.ts$/],
    ['the module for browsers imports nothing of the server', /^browser\//, /^(?!browser\/)/],
    ['the server imports nothing of the module for browsers', /^(?!browser\/)/, /^browser\//],
    ['nothing imports the command', /^(?!cli\/)/, /^cli\//],
  ])('%s', (_rule, from, to) => {
    expect(runTimeEdges(from, to)).toEqual([])
  })

  it.each(['config', 'tokens', 'users'])('%s never imports express, not even its types', (folder) => {
    const importers = filesBelow(lib + folder, '.ts').filter((file) =>
      staticImportsOf(`${lib}${folder}/${file}`).some(({ specifier }) => specifier.startsWith('express')),
    )
    expect(importers).toEqual([])
  })

  it('imports only types of express', () => {
    const importers = filesBelow(lib, '.ts').filter((file) =>
      staticImportsOf(lib + file).some(({ specifier, isTypeOnly }) => specifier.startsWith('express') && !isTypeOnly),
    )
    expect(importers).toEqual([])
  })
})
