/**
 * `[operator_console]`: the operators' page.
 *
 * @module
 */

import { flag, table } from './fields.js'

export const operatorConsoleTable = table({
  enable: flag
    .prefault(false)
    .describe("whether the app may mount the operators' page, for administrators who sign in to `management_console`"),
})
