/**
 * Gives property tests the same inputs at every run, so that a change is blamed for what it did. Other inputs: `FAST_CHECK_SEED=7 npm test`;
 * `npm run verify:full` draws a seed and prints it; a million new ones: `npm run fuzz`.
 */

import { configureGlobal } from 'fast-check'

configureGlobal({ seed: Number(process.env['FAST_CHECK_SEED'] ?? 20_260_301) })
