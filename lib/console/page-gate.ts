/**
 * How the files of the operators' page are served.
 *
 * @module
 */

import type { Request, Response } from 'express'
import { HttpError } from '../core/errors.js'
import { methodNotAllowed } from '../http/endpoint.js'
import type { Gate, Verdict } from '../http/gate.js'
import { isRead, readRoot } from '../portals/navigation.js'
import { answerSeeOther } from '../portals/page.js'

/** A file of the page. */
export interface PageFile {
  readonly type: string
  readonly bytes: Buffer
  readonly gzipped: Buffer
}

/** By path below the mount. */
export type PageFiles = ReadonlyMap<string, PageFile>

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

/** Answers GET and HEAD with a file of the page. `find` resolves with `undefined` where there are none. */
export function pageGate(find: () => Promise<PageFiles | undefined>): Gate {
  async function answerFile(request: Request, response: Response): Promise<Verdict> {
    const { path } = request
    const files = await find()
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
    // All others have a hash in their names.
    response.setHeader('Cache-Control', path === '/' ? 'no-store' : 'private, max-age=31536000, immutable')
    response.setHeader('Content-Type', file.type)
    response.setHeader('Vary', 'Accept-Encoding')
    if (isGzip) response.setHeader('Content-Encoding', 'gzip')
    response.setHeader('Content-Length', body.length)
    response.end(body)
    return 'answered'
  }

  // The files are in no folder.
  return (request, response) => (request.path.lastIndexOf('/') === 0 ? answerFile(request, response) : undefined)
}

function notBuilt(): HttpError {
  const message = 'The page was not built: run "npm run build" in the folder of the package.'
  return new HttpError(503, 'ERR_NOT_FOUND', message)
}
