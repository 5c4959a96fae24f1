/**
 * Bundles the operators' page of lib/console/page into dist/page: one script, one style sheet, the icon and `index.html`, which
 * names the others by the hash of what is in them. A part of `npm run build`; prints how large they are, and fails above
 * the limit.
 *
 * @module
 */

import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

/** Script, style sheet, icon and HTML together, compressed as a server would. */
const maxCompressedBytes = 60_000

const root = fileURLToPath(new URL('..', import.meta.url))
const source = join(root, 'lib/console/page')
const target = join(root, 'dist/page')

const script = await bundle('main.tsx', { banner: { js: preactNotice() } })
const style = await bundle('style.css')
const icon = readFileSync(join(source, 'icon.svg'))
const files = new Map([
  [hashedName('console', 'js', script), script],
  [hashedName('console', 'css', style), style],
  [hashedName('icon', 'svg', icon), icon],
])
files.set('index.html', Buffer.from(page([...files.keys()])))
write(files)
report(files)

/** @returns {Promise<Uint8Array>} */
async function bundle(name, options = {}) {
  const { outputFiles } = await build({
    entryPoints: [join(source, name)],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    logLevel: 'warning',
    ...options,
  })
  return outputFiles[0].contents
}

/** The licence wants it in every copy. */
function preactNotice() {
  const folder = dirname(createRequire(import.meta.url).resolve('preact/package.json'))
  return `/*! Preact\n\n${readFileSync(join(folder, 'LICENSE'), 'utf8').trim()}\n*/`
}

function hashedName(name, extension, bytes) {
  return `${name}-${createHash('sha256').update(bytes).digest('hex').slice(0, 12)}.${extension}`
}

function page(names) {
  const template = readFileSync(join(source, 'index.html'), 'utf8')
  return template.replace(/(console|icon)\.(js|css|svg)/g, (_, name, extension) =>
    names.find((hashed) => hashed.startsWith(`${name}-`) && hashed.endsWith(`.${extension}`)),
  )
}

/** What is read meanwhile is never half there: a name stands for its content, and index.html comes last. */
function write(made) {
  mkdirSync(target, { recursive: true })
  for (const [name, bytes] of made) writeFileSync(join(target, name), bytes)
  for (const name of readdirSync(target)) if (!made.has(name)) rmSync(join(target, name))
}

function report(made) {
  let total = 0
  for (const [name, bytes] of made) {
    const size = gzipSync(bytes, { level: 9 }).length
    total += size
    console.error(`${name}: ${bytes.length} bytes, ${size} compressed`)
  }
  console.error(`operators' page: ${total} bytes compressed, of ${maxCompressedBytes} allowed`)
  if (total > maxCompressedBytes) process.exitCode = 1
}
