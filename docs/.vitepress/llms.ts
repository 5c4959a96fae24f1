/**
 * `llms.txt`, the list of the pages for programs that read them, and `llms-full.txt`, all of their text.
 *
 * @module
 */

import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { docsFolder, groups, readTitle } from './pages.js'

/** Writes both, and the Markdown of each page beside it. */
export function writeLlmsFiles(folder: string, description: string): void {
  const lines = Object.entries(groups).flatMap(([group, pages]) => [
    '',
    `## ${group}`,
    '',
    ...pages.map((page) => `- [${readTitle(page)}](${page})`),
  ])
  writeFileSync(`${folder}/llms.txt`, `# Sallyport\n\n> ${description}\n${lines.join('\n')}\n`)

  const pages = Object.values(groups).flat()
  for (const page of pages) cpSync(docsFolder + page, `${folder}/${page}`)
  const texts = pages.map((page) => readFileSync(docsFolder + page, 'utf8'))
  writeFileSync(`${folder}/llms-full.txt`, texts.join('\n\n'))
}
