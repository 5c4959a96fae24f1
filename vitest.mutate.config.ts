import { defineConfig } from 'vitest/config'

/**
 * The tests that `npm run mutate` runs against each change of the code: those of the parts that it changes, without the
 * corpora and the load tests, which take too long to be run thousands of times.
 */
export default defineConfig({
  test: {
    include: ['test/{addresses,paths,http,core,middleware,tokens}/**/*.test.ts'],
    exclude: ['test/tokens/{wycheproof,jwt-corpus}.test.ts'],
    testTimeout: 10_000,
  },
})
