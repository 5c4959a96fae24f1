/**
 * `WWW-Authenticate` challenges (RFC 9110 section 11.6.1; RFC 7617; RFC 6750 section 3), made once at start-up.
 *
 * @module
 */

const defaultRealm = 'Sallyport'

export interface Challenges {
  readonly basic: string
  /** No credentials were sent, so no error is named (RFC 6750 section 3.1). */
  readonly bearer: string
  readonly invalidToken: string
  readonly invalidRequest: string
  /** Names what a token has to be good for (RFC 6750 section 3.1). */
  readonly insufficientScope: (scope: string) => string
}

/** Printable ASCII without quote and backslash: what a quoted string holds without escapes. */
const plainText = /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/

/** What Bearer challenges tell of a resource. */
export interface ChallengedResource {
  /** Where its metadata is (RFC 9728 section 5.1). */
  readonly metadata: URL | undefined
  /** What it wants of a token, separated by spaces. */
  readonly scope: string
}

/** @throws TypeError when the realm would need escapes, or could end the header line. */
export function createChallenges(realm: string = defaultRealm, resource?: ChallengedResource): Challenges {
  if (!plainText.test(realm)) {
    throw new TypeError('"realm" must be printable ASCII without quotes and backslashes')
  }
  const bearer = `Bearer realm="${realm}"`
  const { metadata, scope: wanted = '' } = resource ?? {}
  const where = metadata === undefined ? '' : `, resource_metadata="${metadata.href}"`
  const what = (wanted === '' ? '' : `, scope="${wanted}"`) + where
  return {
    basic: `Basic realm="${realm}", charset="UTF-8"`,
    bearer: bearer + what,
    invalidToken: `${bearer}, error="invalid_token", error_description="The access token is not valid"${what}`,
    invalidRequest: `${bearer}, error="invalid_request", error_description="More than one credential was sent"`,
    insufficientScope: (scope) => `${bearer}, error="insufficient_scope", scope="${scope}"${where}`,
  }
}
