import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { loadConfig } from '../../lib/config/load.js'
import { ConfigError } from '../../lib/core/errors.js'
import { createSecurity } from '../../lib/index.js'
import { document } from '../helpers/front.js'
import { navigation, startPortals } from './portal-front.js'

const svg = '<?xml version="1.0"?>\n<!-- of the shop -->\n<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 2 1"/>'
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

/** A folder with a file, which goes with the test. */
function folderWith(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-logo-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
  return folder
}

const withLogo = (logo: string, more: object = {}) => ({ portal: { publisher: { logo, ...more } } })

describe('[portal.<name>] logo', () => {
  it.each([
    ['SVG', 'image/svg+xml', svg],
    ['PNG', 'image/png', png],
  ])('is on the pages of the portal, as %s, with its title', async (_, type, content) => {
    const home = folderWith({ logo: content })
    const root = withLogo('logo', { title: 'The "Shop" & <co>', allow: ['127.0.0.1'] })
    const front = await startPortals({ root, options: { home } })
    const url = `data:${type};base64,${Buffer.from(content).toString('base64')}`
    for (const path of ['login', 'logout']) {
      const page = await front.call('GET', `/publisher/${path}`, navigation)
      expect(page.body).toContain(`<img src="${url}" alt="The &#34;Shop&#34; &#38; &#60;co&#62;">`)
      expect(page.header('content-security-policy')).toMatch(/^default-src 'none'; .*; img-src data:;/)
    }
    await front.security.reload(document({ root: withLogo(join(home, 'logo'), { allow: ['10.0.0.1'] }) }))
    const refusal = await front.call('GET', '/publisher/', navigation)
    expect(refusal.status).toBe(403)
    expect(refusal.body).toContain(`<img src="${url}" alt="Publisher">`)
  })

  it('allows no page without one a picture', async () => {
    const front = await startPortals()
    const page = await front.call('GET', '/publisher/login', navigation)
    expect(page.body).not.toContain('<img')
    expect(page.header('content-security-policy')).not.toContain('img-src')
  })

  it('is told to the pages of the app', async () => {
    const views: { readonly logo: string | undefined }[] = []
    const loginPage = (view: { readonly logo: string | undefined }): string => {
      views.push(view)
      return 'x'
    }
    const options = { home: folderWith({ logo: png }) }
    const front = await startPortals({ root: withLogo('logo'), options, portal: { loginPage } })
    await front.call('GET', '/publisher/login', navigation)
    expect(views[0]!.logo).toMatch(/^data:image\/png;base64,iVBOR/)
  })

  it('is read anew by a reload, which keeps the old one where the new one is none', async () => {
    const home = folderWith({ logo: svg })
    const source = document({ root: withLogo('logo') })
    const front = await startPortals({ root: withLogo('logo'), options: { home } })
    const page = async (): Promise<string> => (await front.call('GET', '/publisher/login', navigation)).body
    expect(await page()).toContain('<img src="data:image/svg+xml;')
    writeFileSync(join(home, 'logo'), png)
    await front.security.reload(source)
    expect(await page()).toContain('<img src="data:image/png;')
    writeFileSync(join(home, 'logo'), 'no picture')
    await expect(front.security.reload(source)).rejects.toThrow('which is neither SVG nor PNG')
    expect(await page()).toContain('<img src="data:image/png;')
  })

  const neither = /^names .*logo.svg, which is neither SVG nor PNG$/
  const mistakes: readonly (readonly [what: string, content: string | Uint8Array | undefined, rule: RegExp])[] = [
    ['a file that is not there', undefined, /^names .*logo.svg, which does not exist$/],
    ['a page', '<!doctype html><svg></svg>', neither],
    ['a page whose comment has a picture', '<!-- <svg> --><html>', neither],
    ['JPEG', Uint8Array.from([0xff, 0xd8, 0xff, 0xe0]), neither],
    ['nothing', '', neither],
    [
      'a file that is too large',
      `<svg>${' '.repeat(100_000)}</svg>`,
      /^names .*logo.svg, which has 100011 bytes: at most 100000 are allowed$/,
    ],
  ]

  it.each(mistakes)('refuses %s with the line of the key', async (_, content, rule) => {
    const folder = folderWith({
      'deployment.toml': '[portal.publisher]\ntitle = "Shop"\nlogo = "logo.svg"\n',
      ...(content !== undefined && { 'logo.svg': content }),
    })
    const refused: unknown = await loadConfig(join(folder, 'deployment.toml')).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(ConfigError)
    expect((refused as ConfigError).problems).toEqual([
      {
        key: 'portal.publisher.logo',
        rule: expect.stringMatching(rule),
        position: { file: join(folder, 'deployment.toml'), line: 3, column: 1 },
      },
    ])
  })

  it('refuses a folder', async () => {
    const logo = withLogo(folderWith({}))
    await expect(createSecurity(document({ root: logo }))).rejects.toThrow('which is no file')
  })

  it('reads a comment of a hundred thousand characters in no time', async () => {
    const home = folderWith({ logo: `<!--${'<!---'.repeat(19_000)}` })
    const before = performance.now()
    await expect(createSecurity(document({ root: withLogo('logo') }), { home })).rejects.toThrow(
      'which is neither SVG nor PNG',
    )
    expect(performance.now() - before).toBeLessThan(2000)
  })
})
