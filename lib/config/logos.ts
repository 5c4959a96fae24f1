/**
 * Reads the logos of portals. They become part of the configuration, so that a file that is missing or is no picture stops the start with
 * the line that names it, and a reload takes a changed file over.
 *
 * @module
 */

import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { readFlags } from '../files/read-file.js'
import type { Finding } from './checks/findings.js'
import type { PortalTables } from './schema/portals.js'

/** Each page of the portal has it in it, and a login page is not kept by browsers. */
const maxBytes = 100_000

const pngSignature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

/** The root element, after what XML allows before it: a declaration, comments, and a document type without declarations of its own. */
const svgStart =
  /^\uFEFF?\s*(?:<\?xml[^>]*\?>\s*)?(?:(?:<!--(?:(?!-->)[\s\S])*-->|<!DOCTYPE svg\b[^[>]*>)\s*)*<svg[\s>]/

/** Reads the files that the portals name, as `data:` URLs by portal. */
export function readLogos(
  { named }: PortalTables,
  home: string,
  mistake: (finding: Finding) => void,
): Map<string, string> {
  const logos = new Map<string, string>()
  for (const [name, { logo }] of named) {
    if (logo === undefined) continue
    const outcome = readLogo(resolve(home, logo))
    if ('rule' in outcome) mistake({ path: ['portal', name, 'logo'], rule: outcome.rule })
    else logos.set(name, outcome.url)
  }
  return logos
}

function readLogo(file: string): { readonly url: string } | { readonly rule: string } {
  let descriptor: number | undefined
  try {
    descriptor = openSync(file, readFlags)
    const status = fstatSync(descriptor)
    if (!status.isFile()) return { rule: `names ${file}, which is no file` }
    if (status.size > maxBytes)
      return { rule: `names ${file}, which has ${status.size} bytes: at most ${maxBytes} are allowed` }
    const bytes = readFileSync(descriptor)
    const type = pictureType(bytes)
    if (type === undefined) return { rule: `names ${file}, which is neither SVG nor PNG` }
    return { url: `data:${type};base64,${bytes.toString('base64')}` }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return {
      rule: code === 'ENOENT' ? `names ${file}, which does not exist` : `names ${file}, which cannot be read: ${code}`,
    }
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}

/** By its content: what a name ends with says nothing. */
function pictureType(bytes: Buffer): string | undefined {
  if (bytes.subarray(0, pngSignature.length).equals(pngSignature)) return 'image/png'
  return svgStart.test(bytes.toString('utf8')) ? 'image/svg+xml' : undefined
}
