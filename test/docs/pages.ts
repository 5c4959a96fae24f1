/** The Markdown of the package: what its reader sees on GitHub, and the site. */

import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The folder of the project, with a slash at its end. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

/** Pages below docs, without the home page, which is of the site only. */
export const docsPages = readdirSync(`${root}docs`).filter((name) => name.endsWith('.md') && name !== 'index.md')

export const markdownFiles = ['README.md', 'SECURITY.md', 'CHANGELOG.md', ...docsPages.map((name) => `docs/${name}`)]

export const readText = (path: string): string => readFileSync(root + path, 'utf8')
