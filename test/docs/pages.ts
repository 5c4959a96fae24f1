/** The Markdown of the package: what its reader sees on GitHub, and the site. */

import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The folder of the project, with a slash at its end. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

/** The home page, which is of the site only. */
const homePage = 'docs/index.md'

const inDocs = readdirSync(`${root}docs`).filter((name) => name.endsWith('.md'))

/** Pages below docs, without the home page. */
export const docsPages = inDocs.filter((name) => `docs/${name}` !== homePage)

export const markdownFiles = ['README.md', 'SECURITY.md', 'CHANGELOG.md', ...inDocs.map((name) => `docs/${name}`)]

export const readText = (path: string): string => readFileSync(root + path, 'utf8')
