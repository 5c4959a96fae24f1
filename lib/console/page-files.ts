/**
 * The files of the operators' page, as `npm run build` makes them: read once.
 *
 * It is imported when the page is first asked for: it is found beside this module, which not every loader can do.
 *
 * @module
 */

import { readdirSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { PageFile, PageFiles } from './page-gate.js'

/** The same from `lib/console` and from `dist/console`. */
const folder = new URL('../../dist/page/', import.meta.url)

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

let known: PageFiles | undefined

/** Read once. `undefined`: the page was not built. */
export function findPageFiles(): PageFiles | undefined {
  known ??= readPageFiles(folder)
  return known
}

/** Files of other types, as source maps, are not served. */
export function readPageFiles(from: URL): PageFiles | undefined {
  try {
    const served = readdirSync(from).filter((name) => Object.hasOwn(types, extname(name)))
    const files = new Map(served.map((name) => [`/${name}`, readPageFile(new URL(name, from))]))
    const index = files.get('/index.html')
    // By that name, the page would not find what is below its mount.
    files.delete('/index.html')
    return index && files.set('/', index)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function readPageFile(file: URL): PageFile {
  const bytes = readFileSync(file)
  return { type: types[extname(file.pathname)]!, bytes, gzipped: gzipSync(bytes) }
}
