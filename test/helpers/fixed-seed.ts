/**
 * Gives property tests the same inputs at every run, so that `npm run verify` says the same of the same code. Other inputs:
 * `FAST_CHECK_SEED=7 npm test`; a million new ones: `npm run fuzz`.
 */

import { configureGlobal } from 'fast-check'

configureGlobal({ seed: Number(process.env['FAST_CHECK_SEED'] ?? 20_260_301) })
