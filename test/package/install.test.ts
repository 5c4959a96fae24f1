import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { packagesReachedFrom } from '../helpers/static-imports.js'
import { type ConsumerProject, installInto, packInto, type Tarball, versionOf } from './consumer-project.js'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-package-'))
let tarball: Tarball
let esmProject: ConsumerProject
let cjsProject: ConsumerProject

beforeAll(async () => {
  tarball = await packInto(folder)
  const types = ['@types/node', '@types/express'].map((name) => `${name}@${versionOf(name)}`)
  esmProject = await installInto(join(folder, 'esm'), 'module', [
    tarball.path,
    `express@${versionOf('express')}`,
    ...types,
  ])
  cjsProject = await installInto(join(folder, 'cjs'), 'commonjs', [tarball.path, `express@${versionOf('express4')}`])
  for (const project of [esmProject, cjsProject]) {
    copyFileSync(fileURLToPath(new URL('fixtures/sign-in.mjs', import.meta.url)), join(project.folder, 'sign-in.mjs'))
  }
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

const pages = readdirSync(new URL('../../docs/', import.meta.url))
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`)
  .sort()

describe('the tarball', () => {
  it('holds the build and the documents, and nothing else', () => {
    const documents = tarball.files.filter((file) => !/^(?:dist|examples|docs\/images|bench\/results)\//.test(file))
    expect(documents.sort()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md', ...pages, 'package.json'])
    // Nothing that an example leaves behind when it runs, such as a private key.
    const others = tarball.files.filter((file) => !file.startsWith('dist/') && !documents.includes(file))
    expect(others.filter((file) => !/\.(?:ts|toml|c?js|html|sh|conf|md|svg|png)$/.test(file))).toEqual([])
    const otherBuilt = tarball.files.filter((file) => file.startsWith('dist/') && !/\.(js|d\.ts)$/.test(file))
    expect(otherBuilt.filter((file) => !file.startsWith('dist/page/'))).toEqual(['dist/deployment.schema.json'])
    expect(otherBuilt).toContain('dist/page/index.html')
    const tests = tarball.files.filter((file) => file.includes('.test.') && !file.startsWith('examples/testing/'))
    expect(tests).toEqual([])
  })

  it.each(['README.md', ...pages.filter((page) => page !== 'docs/security-requirements.md')])(
    'holds every file that %s links to',
    (document) => {
      const targets = linksIn(readFileSync(installed(document), 'utf8')).map((link) => join(dirname(document), link))
      expect(targets.filter((target) => !tarball.files.includes(target))).toEqual([])
      if (document === 'README.md') expect(targets).toContain('docs/portals.md')
    },
  )

  it('holds every file that exports and bin of package.json name', () => {
    const manifest = JSON.parse(readFileSync(installed('package.json'), 'utf8')) as { exports: object; bin: object }
    const named = [
      ...Object.values(manifest.exports).flatMap(leavesOf),
      ...Object.values(manifest.bin).flatMap(leavesOf),
    ]
    expect(named.length).toBeGreaterThan(4)
    expect(named.filter((file) => !tarball.files.includes(file.replace(/^\.\//, '')))).toEqual([])
  })

  it.each(['index', 'middleware', 'config'])('loads the same packages from %s as the sources do', (entry) => {
    const packages = packagesReachedFrom(installed(`dist/${entry}.js`)).filter((name) => !isBuiltin(name))
    const ofSources = packagesReachedFrom(fileURLToPath(new URL(`../../lib/${entry}.ts`, import.meta.url)))
    expect(packages).toEqual(ofSources.filter((name) => !isBuiltin(name)))
  })
})

describe('the release', () => {
  it('has a section of its version in the change log', () => {
    const { version } = JSON.parse(readFileSync(installed('package.json'), 'utf8')) as { version: string }
    expect(readFileSync(installed('CHANGELOG.md'), 'utf8')).toMatch(
      new RegExp(`^## ${version} - \\d{4}-\\d\\d-\\d\\d$`, 'm'),
    )
  })

  it('has a bill of materials with every dependency', async () => {
    const { dependencies } = JSON.parse(readFileSync(installed('package.json'), 'utf8')) as { dependencies: object }
    const bill = JSON.parse(await esmProject.run('npm', ['sbom', '--sbom-format', 'cyclonedx'])) as {
      components: { group?: string; name: string }[]
    }
    const names = bill.components.map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(['sallyport', ...Object.keys(dependencies)]))
  })

  it('is published by a workflow whose actions are those of a commit, with rights that are listed', () => {
    const workflow = readFileSync(new URL('../../.github/workflows/release.yml', import.meta.url), 'utf8')
    const actions = [...workflow.matchAll(/uses: (\S+)/g)].map(([, action]) => action!)
    expect(actions.length).toBeGreaterThan(2)
    expect(actions.filter((action) => !/@[0-9a-f]{40}$/.test(action))).toEqual([])
    expect(workflow).toMatch(/^permissions: \{\}$/m)
    expect(workflow).toContain('--provenance')
  })
})

describe('the installed package', () => {
  const story = { refusedLogin: 401, login: 200, call: 200, caller: 'ada', logout: 200, callAfterLogout: 401 }

  it('signs in, serves and signs out when imported beside Express 5', async () => {
    esmProject.write(
      'main.js',
      `import express from 'express'
import * as sallyport from 'sallyport'
import 'sallyport/express'
import { signInStory } from './sign-in.mjs'
console.log(JSON.stringify(await signInStory(express, sallyport)))
`,
    )
    expect(JSON.parse(await esmProject.run('node', ['main.js']))).toEqual(story)
  })

  it.each([
    ['required', `require('sallyport')`],
    ['imported', `await import('sallyport')`],
  ])('signs in, serves and signs out when %s from CommonJS beside Express 4', async (_how, expression) => {
    cjsProject.write(
      'main.js',
      `const express = require('express')
async function main() {
  const { signInStory } = await import('./sign-in.mjs')
  console.log(JSON.stringify(await signInStory(express, ${expression})))
}
main()
`,
    )
    expect(JSON.parse(await cjsProject.run('node', ['main.js']))).toEqual(story)
  })

  it('tests a token store of the app with the contract, by node:test', async () => {
    esmProject.write(
      'store.test.mjs',
      `import { describe, it } from 'node:test'
import { MemoryTokenStore } from 'sallyport/middleware'
import { tokenStoreContract } from 'sallyport/testing'
tokenStoreContract({ describe, it }, 'a good store', async (options) => new MemoryTokenStore(options))
class Forgetful extends MemoryTokenStore { touch() {} }
if (process.env.BAD) tokenStoreContract({ describe, it }, 'a bad store', async (options) => new Forgetful(options))
`,
    )
    const good = await esmProject.run('node', ['--test', 'store.test.mjs'])
    expect(good).toMatch(/# pass [2-9]\d\n# fail 0/)
    const bad = esmProject.run('env', ['BAD=1', 'node', '--test', 'store.test.mjs'])
    await expect(bad).rejects.toThrow()
  })

  it('has a command that hashes a password', async () => {
    const output = await esmProject.run(join('node_modules', '.bin', 'sallyport'), ['hash-password'], 'throw-away\n')
    expect(output).toMatch(/^\$argon2id\$\S+\n$/)
  })
})

describe('the types of the installed package', () => {
  const app = `import express from 'express'
import { createSecurity, getAuth, type Security } from 'sallyport'
const security: Security = await createSecurity('deployment.toml')
express().use('/management', security.managementApi(), (request, response) => {
  response.json({ caller: getAuth(request).subject satisfies string })
})
await security.close()
`
  const readsAuth = `import type { Request } from 'express'
export const subjectOf = (request: Request): string | undefined => request.auth?.subject
`

  // No await at the top: CommonJS has none.
  const everyModule = `import express from 'express'
import 'sallyport/express'
import { watchSession } from 'sallyport/browser'
import { createSecurity, type Security } from 'sallyport'
import { type Config, loadConfig } from 'sallyport/config'
import { type AuthCore, basicLogin, createAuthCore, errorResponses, fileUserStore } from 'sallyport/middleware'
export async function createByHand(): Promise<express.Express> {
  const core: AuthCore = await createAuthCore({ users: await fileUserStore({ users: [] }) })
  return express().use('/login', basicLogin(core)).use(errorResponses(core))
}
export async function createApp(): Promise<express.Express> {
  const config: Config = await loadConfig('deployment.toml')
  const security: Security = await createSecurity(config)
  return express().use('/management', security.managementApi(), (request, response) => {
    response.json({ caller: request.auth?.subject satisfies string | undefined })
  })
}
export { watchSession }
`

  it.each([true, false])('accept the first app with exactOptionalPropertyTypes %s', (exactOptionalPropertyTypes) => {
    expect(complaintsAbout(app, { exactOptionalPropertyTypes })).toEqual([])
  })

  it('know request.auth with sallyport/express', () => {
    expect(complaintsAbout(`import 'sallyport/express'\n${readsAuth}`)).toEqual([])
  })

  it('are found by an older module resolution for every entry', () => {
    const { exports, typesVersions } = JSON.parse(readFileSync(installed('package.json'), 'utf8')) as {
      exports: Record<string, string | { readonly types: string }>
      typesVersions: { readonly '*': Record<string, readonly string[]> }
    }
    const entries = Object.entries(exports).filter(
      ([entry]) => !['.', './deployment.schema.json', './package.json'].includes(entry),
    )
    const typesByEntry = entries.map(([entry, target]) => [entry.slice(2), [(target as { types: string }).types]])
    expect(typesVersions['*']).toEqual(Object.fromEntries(typesByEntry))
  })

  const { CommonJS, ES2022, ESNext, Node16, Node20, NodeNext, Preserve } = ts.ModuleKind
  const { Bundler, Node10 } = ts.ModuleResolutionKind

  it.each<[string, ts.CompilerOptions, string]>([
    ['commonjs', { module: CommonJS, moduleResolution: Node10, ignoreDeprecations: '6.0' }, 'consumer.ts'],
    ['commonjs and bundler', { module: CommonJS, moduleResolution: Bundler }, 'consumer.ts'],
    ['es2022 and node10', { module: ES2022, moduleResolution: Node10, ignoreDeprecations: '6.0' }, 'consumer.ts'],
    ['node20', { module: Node20 }, 'consumer.cts'],
    ['nodenext', { module: NodeNext }, 'consumer.cts'],
    ['node16', { module: Node16 }, 'consumer.mts'],
    ['esnext and bundler', { module: ESNext, moduleResolution: Bundler }, 'consumer.ts'],
    ['preserve', { module: Preserve }, 'consumer.ts'],
  ])('accept an app that is compiled with module %s', (_module, options, file) => {
    expect(complaintsAbout(everyModule, { esModuleInterop: true, ...options }, file)).toEqual([])
  })

  it('need import() from CommonJS with module node16, as README says', () => {
    const complaints = complaintsAbout(everyModule, { esModuleInterop: true, module: Node16 }, 'consumer.cts')
    expect(complaints).toContainEqual(expect.stringContaining(`import("sallyport")`))
  })

  it('leave Express as it is without sallyport/express', () => {
    const complaints = complaintsAbout(`import 'sallyport'\n${readsAuth}`)
    expect(complaints).toEqual([expect.stringContaining(`Property 'auth' does not exist`)])
  })
})

function installed(path: string): string {
  return join(esmProject.folder, 'node_modules', 'sallyport', path)
}

/** The relative links and pictures of a document, without what follows a `#`. */
function linksIn(markdown: string): readonly string[] {
  return [...markdown.matchAll(/\]\(([^()#\s]+)/g)]
    .map(([, target]) => target!)
    .filter((target) => !/^\w+:/.test(target))
}

function leavesOf(target: unknown): readonly string[] {
  return typeof target === 'string' ? [target] : Object.values(target as object).flatMap(leavesOf)
}

/** What the compiler says of a module in the project that has the types of Express, and of our declarations behind it. */
function complaintsAbout(text: string, options: ts.CompilerOptions = {}, file = 'consumer.ts'): readonly string[] {
  const consumer = esmProject.write(file, text)
  const program = ts.createProgram([consumer], {
    strict: true,
    noEmit: true,
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    types: ['node'],
    typeRoots: [join(esmProject.folder, 'node_modules', '@types')],
    skipLibCheck: false,
    ...options,
  })
  const judged = program
    .getSourceFiles()
    .filter(({ fileName }) => fileName === consumer || fileName.includes('/node_modules/sallyport/'))
  expect(judged.length).toBeGreaterThan(1)
  return [...program.getGlobalDiagnostics(), ...judged.flatMap((file) => program.getSemanticDiagnostics(file))].map(
    ({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'),
  )
}
