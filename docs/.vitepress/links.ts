/**
 * Links of the Markdown, which is read on GitHub, in the package and on the site.
 *
 * @module
 */

import { readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import type { MarkdownRenderer } from 'vitepress'
import { copiedPages, readTitle } from './pages.js'

/** The anchor of a heading, as GitHub makes it. */
export function headingSlug(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
    .replaceAll(' ', '-')
}

/**
 * Where a link leads on the site.
 *
 * @param page - The page it is on, below docs.
 * @param repository - Address of the repository; a link to a file that is no page leads there.
 * @returns `undefined` when there is no such place: the text of the link remains.
 */
export function siteLink(href: string, page: string, repository: string | undefined): string | undefined {
  if (/^[a-z]+:|^#|^\//.test(href)) return href
  const [path = '', anchor] = href.split('#')
  const source = [...copiedPages].find(([, copy]) => copy === page)?.[0] ?? `docs/${page}`
  const target = posix.join(posix.dirname(source), path)
  const hash = anchor === undefined ? '' : `#${anchor}`
  if (target === 'README.md') return `/${hash}`
  const place = copiedPages.get(target) ?? (/^docs\/.*\.md$/.test(target) ? target.slice('docs/'.length) : undefined)
  if (place !== undefined) return `/${place}${hash}`
  return repository === undefined ? undefined : `${repository}/blob/main/${target}${hash}`
}

/** A link that is called as the file it leads to is called as the page: `proxies.md` is "Behind nginx and other proxies". */
export function pageName(text: string, href: string | undefined): string {
  const page = /^\/([\w/-]+\.md)/.exec(href ?? '')?.[1]
  return page !== undefined && posix.basename(text) === posix.basename(page) ? readTitle(page) : text
}

/** Makes the links of all pages fit the site. */
export function rewriteLinks(markdown: MarkdownRenderer, repository: string | undefined): void {
  markdown.core.ruler.push('site-links', ({ tokens, env }) => {
    for (const { children } of tokens) {
      let isUnlinked = false
      for (const [index, token] of (children ?? []).entries()) {
        if (token.type === 'link_open') {
          const href = siteLink(String(token.attrGet('href')), String(env.relativePath), repository)
          isUnlinked = href === undefined
          if (href !== undefined) token.attrSet('href', href)
          else token.attrs = null
          const text = children![index + 1]!
          text.content = pageName(text.content, href)
        }
        if (isUnlinked && token.type.startsWith('link_')) token.tag = 'span'
      }
    }
  })
}

/** The links of the built site whose page or anchor does not exist. */
export function brokenLinks(folder: string): readonly string[] {
  const pages = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.html'))
  const texts = new Map(pages.map((page) => [`/${page}`, readFileSync(`${folder}/${page}`, 'utf8')]))
  const anchors = new Map([...texts].map(([page, text]) => [page, new Set(attributes(text, 'id'))]))
  return [...texts].flatMap(([page, text]) =>
    attributes(text, 'href')
      .filter((href) => {
        const url = new URL(href, `http://site.invalid${page}`)
        if (url.hostname !== 'site.invalid' || !/\/$|\.html$/.test(url.pathname)) return false
        const ids = anchors.get(url.pathname.replace(/\/$/, '/index.html'))
        return ids === undefined || (url.hash !== '' && !ids.has(decodeURIComponent(url.hash.slice(1))))
      })
      .map((href) => `${page}: ${href}`),
  )
}

function attributes(html: string, name: string): readonly string[] {
  return [...html.matchAll(new RegExp(`\\s${name}="([^"]*)"`, 'g'))].map(([, value = '']) =>
    value.replaceAll('&amp;', '&'),
  )
}
