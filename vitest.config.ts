import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

/** Tests that pack and install the package: `npm test` leaves them out, `npm run verify` runs them. */
const packageTests = 'test/package/**/*.test.ts'

/** Tests that start servers of other programs: `npm test` leaves them out, `npm run verify` runs them. */
const serverTests = 'test/**/*.server.test.ts'

/** The simulation takes a minute of processor time: `npm test` leaves it out, `npm run verify` runs it. */
const simulation = 'test/simulation/simulation.test.ts'

/** Tests that take minutes: only `npm run verify:full` runs them. */
const fullTests = 'test/**/*.full.test.ts'

/** Tests that exchange modules: each file gets a process of its own. The others share theirs, and with it what they import. */
const isolatedTests = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => `test/${name}`)
  .filter((path) => /\bvi\.(?:mock|doMock|resetModules)\(/.test(readFileSync(path, 'utf8')))

/** Ends a test that hangs. It is far from what any test takes, so that a busy machine fails none. */
const hangTimeout = 60_000

/** What every test starts with: the same inputs for properties, and patience with a busy machine. */
const common = { setupFiles: 'test/helpers/fixed-seed.ts', expect: { poll: { timeout: hangTimeout / 2 } } }

export default defineConfig({
  test: {
    // On two cores as well: much of a test is waiting.
    maxWorkers: Math.max(2, availableParallelism()),
    projects: [
      {
        test: {
          ...common,
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [packageTests, serverTests, fullTests, simulation, ...isolatedTests],
          testTimeout: hangTimeout,
          isolate: false,
          // Made for bundlers: its imports have no extensions.
          server: { deps: { inline: ['@openid/appauth'] } },
        },
      },
      {
        test: {
          ...common,
          name: 'unit-isolated',
          include: isolatedTests,
          exclude: [packageTests, serverTests, fullTests],
          testTimeout: hangTimeout,
        },
      },
      { test: { name: 'simulation', include: [simulation] } },
      {
        test: {
          name: 'package',
          include: [packageTests],
          testTimeout: 3 * hangTimeout,
          hookTimeout: 3 * hangTimeout,
        },
      },
      {
        test: {
          ...common,
          name: 'servers',
          // They wait for other processes on a machine of unknown speed: one that fails is tried once more, and named.
          retry: 1,
          include: [serverTests],
          testTimeout: 3 * hangTimeout,
          hookTimeout: 3 * hangTimeout,
          // After the tests that need the processor: these wait, and are easily late.
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...common,
          name: 'full',
          include: [fullTests],
          testTimeout: 10 * hangTimeout,
          hookTimeout: 10 * hangTimeout,
          fileParallelism: false,
        },
      },
    ],
    coverage: {
      provider: 'v8',
      include: ['lib/{core,http,addresses,paths,middleware,tokens,users,portals}/**/*.ts'],
      reporter: ['text'],
      thresholds: { lines: 95, functions: 95, branches: 95 },
    },
  },
})
