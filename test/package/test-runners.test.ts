import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ConsumerProject, installInto, packInto, versionOf } from './consumer-project.js'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-runners-'))
let project: ConsumerProject

beforeAll(async () => {
  const tarball = await packInto(folder)
  const ours = ['express', 'supertest', 'tsx', 'vitest'].map((name) => `${name}@${versionOf(name)}`)
  project = await installInto(join(folder, 'project'), 'module', [
    tarball.path,
    ...ours,
    'jest@30',
    '@swc/jest',
    '@swc/core',
  ])
  cpSync(fileURLToPath(new URL('../../examples/testing', import.meta.url)), project.folder, { recursive: true })
  project.write(
    'jest.config.mjs',
    `export default {
      extensionsToTreatAsEsm: ['.ts'],
      moduleNameMapper: { '^(\\\\.{1,2}/.*)\\\\.js$': '$1' },
      transform: { '\\\\.ts$': '@swc/jest' },
    }`,
  )
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Each runner ends with an error where a test fails. */
describe('the examples of tests', () => {
  it('pass under vitest', async () => {
    expect(await project.run('npx', ['vitest', 'run', 'vitest.test.ts'])).toContain('2 passed')
  })

  it('pass under node:test', async () => {
    const args = ['--import', 'tsx', '--test', '--test-reporter', 'tap', 'node-test.test.ts']
    expect(await project.run(process.execPath, args)).toContain('# pass 2')
  })

  it('pass under Jest', async () => {
    const args = ['--experimental-vm-modules', 'node_modules/jest/bin/jest.js', '--json', 'jest.test.js']
    expect(JSON.parse(await project.run(process.execPath, args))).toMatchObject({ numPassedTests: 2 })
  })
})
