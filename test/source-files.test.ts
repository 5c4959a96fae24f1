import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { packageVersion } from '../lib/core/package-version.js'
import { filesBelow } from './helpers/static-imports.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const maximumLines = 300
/** A first comment, after an optional `#!` line, that holds `@module`. */
const moduleComment = /^(?:#!.*\n)?\/\*\*(?:(?!\*\/)[\s\S])*@module\b/

interface SourceFile {
  readonly path: string
  readonly text: string
}

const sources = ['lib', 'test', 'examples', 'bench', 'scripts']
  .filter((folder) => existsSync(root + folder))
  .flatMap((folder) => filesBelow(root + folder, '.ts', '.tsx', '.mjs', '.js').map((name) => `${folder}/${name}`))
  .map((path): SourceFile => ({ path, text: readFileSync(root + path, 'utf8') }))
const libSources = sources.filter(({ path }) => path.startsWith('lib/'))
const testSources = sources.filter(({ path }) => path.startsWith('test/'))

function pathsWhere(files: readonly SourceFile[], isBad: (text: string) => boolean): readonly string[] {
  return files.filter(({ text }) => isBad(text)).map(({ path }) => path)
}

describe('source files', () => {
  it('are found', () => {
    expect(libSources.length).toBeGreaterThan(10)
    expect(testSources.length).toBeGreaterThan(3)
  })

  it('hold ASCII only, and the letters of German where the texts are', () => {
    const inGerman = new Set(['lib/portals/texts/de.ts', 'lib/browser/session-texts.ts'])
    const others = sources.filter(({ path }) => !inGerman.has(path))
    expect(pathsWhere(others, (text) => /[^\t\n\x20-\x7e]/.test(text))).toEqual([])
    const german = sources.filter(({ path }) => inGerman.has(path))
    expect(
      pathsWhere(german, (text) => /[^\t\n\x20-\x7e\u00c4\u00d6\u00dc\u00e4\u00f6\u00fc\u00df]/.test(text)),
    ).toEqual([])
  })

  it('hold no note of unfinished work', () => {
    expect(pathsWhere(sources, (text) => /\b(?:TO[D]O|FIX[M]E|XX[X])\b/.test(text))).toEqual([])
  })

  it('switch no test off, and none on at the cost of the others', () => {
    expect(pathsWhere(testSources, (text) => /\b(?:it|test|describe)\.(?:only|skip|todo)\(/.test(text))).toEqual([])
  })

  it('begin with a module comment in lib', () => {
    expect(pathsWhere(libSources, (text) => !moduleComment.test(text))).toEqual([])
  })

  it(`have at most ${maximumLines} lines in lib`, () => {
    expect(pathsWhere(libSources, (text) => text.split('\n').length > maximumLines + 1)).toEqual([])
  })
})

describe('README.md', () => {
  const manifest = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as Record<string, object | undefined>

  it.each(
    ['dependencies', 'peerDependencies', 'optionalDependencies'].flatMap((kind) => Object.keys(manifest[kind] ?? {})),
  )('names the dependency %s', (name) => {
    expect(readFileSync(`${root}README.md`, 'utf8').includes(name)).toBe(true)
  })
})

describe('package-lock.json', () => {
  const { packages } = JSON.parse(readFileSync(`${root}package-lock.json`, 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly optionalDependencies?: Readonly<Record<string, string>> }>>
  }

  // npm leaves out those of other platforms when it resolves anew with node_modules in place; `npm ci` then refuses.
  it('has the optional dependencies of every platform', () => {
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) => !(`${path}/node_modules/${name}` in packages) && !(`node_modules/${name}` in packages),
      ),
    )
    expect(missing).toEqual([])
  })
})

it('the version in the code is that of package.json', () => {
  const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { version: string }
  expect(packageVersion).toBe(version)
})
