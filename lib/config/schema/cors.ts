/**
 * `[management_api.cors]`.
 *
 * @module
 */

import type { CorsConfig } from '../config.js'
import { type Field, field, flag, readParts, refuseAt, table } from './fields.js'

/** A field name of HTTP (RFC 9110 section 5.6.2), or `*`. */
const fieldName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

const headersRule = 'must name header fields, separated by commas; leave the key out for the default'

const allowedHeaders = field((value, refuse) => {
  const parts = readParts(value)
  if (parts === undefined || !parts.every((part) => fieldName.test(part))) return refuse(headersRule)
  return typeof value === 'string' ? value : parts.join(', ')
}).meta({ unit: 'text, or list of texts', type: ['string', 'array'] })

const originsRule = 'must name origins such as https://portal.example.com, separated by commas or as a list, or be "*"'

const allowedOrigins = field((value, refuse) => {
  const parts = readParts(value)
  if (parts === undefined || parts.every((part) => part === '')) return refuse(originsRule)
  for (const part of parts) {
    const mistake = findMistake(part)
    if (mistake !== undefined) return refuse(...mistake)
  }
  return parts.includes('*') ? ['*'] : [...new Set(parts)]
}).meta({ unit: 'text, or list of texts', type: ['string', 'array'] })

/** A scheme, a host and no more, for schemes that URLs give no origin, such as those of browser extensions. */
const otherOrigin = /^[a-z][a-z0-9+.-]*:\/\/[^/?#@\s*:]+(?::\d+)?$/

function findMistake(origin: string): [rule: string, hint?: string] | undefined {
  if (origin === '*') return undefined
  if (origin === '') return ['must not have an empty entry between its commas']
  if (origin.toLowerCase() === 'null') return ['must not allow the origin null: any page can take it on']
  if (origin.includes('*')) return ['must not have a "*" within an origin: write every origin out']
  const url = URL.canParse(origin) ? new URL(origin) : undefined
  if (url === undefined || !origin.includes('://')) {
    return ['must have a scheme before each host', `, such as https://${bareHost(origin)}`]
  }
  if (url.origin === origin || (url.origin === 'null' && otherOrigin.test(origin))) return undefined
  const exact = url.origin === 'null' ? 'scheme://host' : url.origin
  return ['must have origins exactly as browsers send them, without path or slash at the end', `: ${exact}`]
}

function bareHost(text: string): string {
  return /^[a-z0-9.-]+/i.exec(text)?.[0] ?? 'portal.example.com'
}

/** WSO2 reads `enable` and documents `enabled`: here either works. */
export const corsTable: Field<CorsConfig> = table({
  enable: flag.optional().describe('whether other origins may call').meta({ absent: '`true`' }),
  enabled: flag
    .optional()
    .describe('the same as `enable`, in the spelling of the documentation of WSO2')
    .meta({ absent: '`enable`' }),
  allowed_origins: allowedOrigins
    .prefault('*')
    .describe('origins exactly as browsers send them, separated by commas or as a list'),
  allowed_headers: allowedHeaders
    .prefault('Authorization, Content-Type')
    .describe('header fields that scripts may send'),
}).transform(({ enable, enabled, allowed_origins, allowed_headers }, context): CorsConfig => {
  if (enable !== undefined && enabled !== undefined && enable !== enabled) {
    const other = ['management_api', 'cors', 'enable']
    refuseAt(context, ['enabled'], 'must not contradict management_api.cors.enable; write only enable', other)
  }
  return {
    isEnabled: enable ?? enabled ?? true,
    allowedOrigins: allowed_origins,
    allowedHeaders: allowed_headers,
    origin: { key: 'management_api.cors' },
  }
})
