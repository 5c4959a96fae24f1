/** What axe finds wrong with a page. */

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AxeResults } from 'axe-core'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** The rules that a page breaks, each with what breaks it. */
export async function violationsIn(page: Page): Promise<readonly string[]> {
  // Sent as a script of the debugger: the content security policy of the page forbids any other.
  if (!(await page.evaluate<boolean>('"axe" in window'))) await page.evaluate(source)
  const { violations, passes } = await page.evaluate<AxeResults>('axe.run()')
  expect(passes.length).toBeGreaterThan(10)
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))
}
