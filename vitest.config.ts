import { defineConfig } from 'vitest/config'

/** Tests that pack and install the package: `npm test` leaves them out, `npm run verify` runs them. */
const packageTests = 'test/package/**/*.test.ts'

/** Tests that start database servers: `npm test` leaves them out, `npm run verify` runs them. */
const serverTests = 'test/**/*.server.test.ts'

/** Ends a test that hangs. It is far from what any test takes, so that a busy machine fails none. */
const hangTimeout = 60_000

/** What every test starts with: the same inputs for properties, and patience with a busy machine. */
const common = { setupFiles: 'test/helpers/fixed-seed.ts', expect: { poll: { timeout: hangTimeout / 2 } } }

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...common,
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [packageTests, serverTests],
          testTimeout: hangTimeout,
        },
      },
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
          include: [serverTests],
          testTimeout: 3 * hangTimeout,
          hookTimeout: 3 * hangTimeout,
          fileParallelism: false,
        },
      },
    ],
    coverage: {
      provider: 'v8',
      include: ['lib/**/*.ts'],
      reporter: ['text'],
      thresholds: {
        'lib/{core,internal,middlewares,tokens,users}/**/*.ts': { lines: 95, functions: 95, branches: 95 },
      },
    },
  },
})
