/**
 * The files of the operators' page, as `npm run build` makes them: read once, and served by their names.
 *
 * @module
 */

import { readdirSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { gzipSync } from 'node:zlib'
import { HttpError } from '../core/errors.js'
import { methodNotAllowed } from '../http/endpoint.js'
import type { Gate } from '../http/gate.js'
import { isRead, readRoot } from '../portals/navigation.js'
import { answerSeeOther } from '../portals/page.js'

interface PageFile {
  readonly type: string
  readonly bytes: Buffer
  readonly gzipped: Buffer
}

/** By path below the mount. */
export type PageFiles = ReadonlyMap<string, PageFile>

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

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

/** What the names of do not change: all others have a hash in their names. */
const indexPaths = new Set(['/', '/index.html'])

/** Answers GET and HEAD with a file of the page. `files`: `undefined` where there are none. */
export function pageGate(files: PageFiles | undefined): Gate {
  return function pageGate(request, response) {
    const { path } = request
    if (files === undefined && path === '/') return notBuilt()
    const file = files?.get(path)
    if (file === undefined) return undefined
    if (!isRead(request)) return methodNotAllowed('GET, HEAD')
    // Without the slash, the names in the page would lead elsewhere.
    if (path === '/' && !request.originalUrl.split('?', 1)[0]!.endsWith('/')) {
      answerSeeOther(response, readRoot(request))
      return 'answered'
    }
    const isGzip = request.acceptsEncodings('gzip') === 'gzip'
    const body = isGzip ? file.gzipped : file.bytes
    response.statusCode = 200
    response.setHeader('Content-Security-Policy', policy)
    response.setHeader('X-Frame-Options', 'DENY')
    response.setHeader('X-Content-Type-Options', 'nosniff')
    response.setHeader('Cache-Control', indexPaths.has(path) ? 'no-store' : 'private, max-age=31536000, immutable')
    response.setHeader('Content-Type', file.type)
    response.setHeader('Vary', 'Accept-Encoding')
    if (isGzip) response.setHeader('Content-Encoding', 'gzip')
    response.setHeader('Content-Length', body.length)
    response.end(body)
    return 'answered'
  }
}

function notBuilt(): HttpError {
  const message = 'The page was not built: run "npm run build" in the folder of the package.'
  return new HttpError(503, 'ERR_NOT_FOUND', message)
}
