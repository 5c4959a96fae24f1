/**
 * Gives property tests the same inputs at every run on one's own machine. Other inputs: `FAST_CHECK_SEED=7 npm test`; with `CI=true`,
 * `npm run verify` draws a seed and prints it; a million new ones: `npm run fuzz`.
 */

import { configureGlobal } from 'fast-check'

configureGlobal({ seed: Number(process.env['FAST_CHECK_SEED'] ?? 20_260_301) })
