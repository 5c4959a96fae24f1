/**
 * The documentation site: the Markdown of this folder, static, without a request to another host.
 *
 * @module
 */

import { readFileSync } from 'node:fs'
import { defineConfig } from 'vitepress'
import { brokenLinks, headingSlug, rewriteLinks } from './links.js'
import { writeLlmsFiles } from './llms.js'
import { groups, readTitle } from './pages.js'

const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  readonly description: string
  readonly repository?: { readonly url: string }
}
const repository = manifest.repository?.url.replace(/^git\+|\.git$/g, '')

export default defineConfig({
  title: 'Sallyport',
  description: manifest.description,
  lang: 'en',
  ignoreDeadLinks: 'localhostLinks',
  markdown: {
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    anchor: { slugify: headingSlug },
    config: (markdown) => rewriteLinks(markdown, repository),
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      { text: 'Quick start', link: '/quick-start' },
      { text: 'Configuration', link: '/configuration' },
      { text: 'Errors', link: '/errors' },
    ],
    sidebar: Object.entries(groups).map(([text, pages]) => ({
      text,
      items: pages.map((page) => ({ text: readTitle(page), link: `/${page.replace(/\.md$/, '')}` })),
    })),
  },
  buildEnd: ({ outDir }) => {
    writeLlmsFiles(outDir, manifest.description)
    const broken = brokenLinks(outDir)
    if (broken.length > 0) throw new Error(`Links to no page or anchor:\n${broken.join('\n')}`)
  },
})
