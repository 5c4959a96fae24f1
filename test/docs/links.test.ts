import { existsSync } from 'node:fs'
import { posix } from 'node:path'
import { describe, expect, it } from 'vitest'
import { headingSlug, pageName, siteLink } from '../../docs/.vitepress/links.js'
import { groups } from '../../docs/.vitepress/pages.js'
import { readErrors } from '../../scripts/config-reference.js'
import { docsPages, markdownFiles, readText, root } from './pages.js'

const withoutBlocks = (text: string) => text.replace(/^ *```.*?^ *```$/gms, '')

function anchorsOf(path: string): readonly string[] {
  const headings = [...withoutBlocks(readText(path)).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    headingSlug(heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')),
  )
  const named = [...readText(path).matchAll(/<a id="([^"]+)">/g)].map(([, id = '']) => id)
  const slugs = headings.map((slug, index) => {
    const earlier = headings.slice(0, index).filter((other) => other === slug).length
    return earlier === 0 ? slug : `${slug}-${earlier}`
  })
  return [...slugs, ...named]
}

function brokenLinksOf(path: string): readonly string[] {
  const links = [...withoutBlocks(readText(path)).matchAll(/\]\((?![a-z]+:)([^)\s]+)\)/g)].map(([, href = '']) => href)
  return links.filter((href) => {
    const [file = '', anchor] = href.split('#')
    const target = file === '' ? path : posix.join(posix.dirname(path), file)
    if (!existsSync(root + target)) return true
    return anchor !== undefined && target.endsWith('.md') && !anchorsOf(target).includes(anchor)
  })
}

it.each(markdownFiles)('%s has no link to a missing file or heading', (path) => {
  expect(brokenLinksOf(path)).toEqual([])
})

describe('the site', () => {
  it('has every page of docs in its sidebar, once', () => {
    const own = Object.values(groups)
      .flat()
      .filter((page) => !page.startsWith('reference/'))
    expect(own.toSorted()).toEqual(docsPages.toSorted())
  })

  it.each([
    ['users.md#a-database', 'oauth.md', '/users.md#a-database'],
    ['../SECURITY.md', 'errors.md', '/reference/security.md'],
    ['docs/users.md', 'reference/security.md', '/users.md'],
    ['../README.md#limits', 'sockets.md', '/#limits'],
    ['../examples/sql.ts', 'users.md', 'https://git.example/it/blob/main/examples/sql.ts'],
    ['https://example.com/', 'users.md', 'https://example.com/'],
    ['#here', 'users.md', '#here'],
  ])('leads from %s in %s to %s', (href, page, expected) => {
    expect(siteLink(href, page, 'https://git.example/it')).toBe(expected)
  })

  it('calls a link that is called as its file as the page', () => {
    expect(pageName('proxies.md', '/proxies.md#nginx')).toBe('Behind nginx and other proxies')
    expect(pageName('the proxy', '/proxies.md')).toBe('the proxy')
    expect(pageName('proxies.md', undefined)).toBe('proxies.md')
  })

  it('has no link to a file of a repository that package.json does not name', () => {
    expect(siteLink('../examples/sql.ts', 'users.md', undefined)).toBeUndefined()
  })

  it.each([
    ["What's new", 'whats-new'],
    ['HTTPS, secrets and token keys', 'https-secrets-and-token-keys'],
    ['`ERR_X` and -- more', 'err_x-and----more'],
  ])('gives the heading %s the anchor of GitHub', (heading, anchor) => {
    expect(headingSlug(heading)).toBe(anchor)
  })
})

it('docs/errors.md has each code of lib/core/errors.ts, and no other', () => {
  const codesIn = (path: string, code: RegExp) => [...new Set(readText(path).match(code))].toSorted()
  const rows = [...readText('docs/errors.md').matchAll(/^\| (<a id=[^|]*) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)]
  const codes = rows.flatMap(([, cell = '']) => cell.match(/(?<=`)ERR_\w+/g) ?? [])
  expect(codes.toSorted()).toEqual(codesIn('lib/core/errors.ts', /(?<=\| ')ERR_\w+(?=')|(?<== ')ERR_\w+(?=')/g))
})

it('docs/errors.md has an anchor for each code, which the log names; npm run config-reference writes them', () => {
  const { actual, expected } = readErrors()
  expect(actual).toBe(expected)
  expect(expected).toContain('<a id="err_token_invalid"></a>`ERR_TOKEN_INVALID`')
})
