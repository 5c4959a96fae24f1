import { createHmac } from 'node:crypto'

/** What a token of WSO2's control plane is made of. */
export interface HmacTokenParts {
  readonly kid: string
  readonly material: string
  readonly iat: number
  readonly exp: number
  readonly jti?: string
}

/** A token as WSO2's control plane makes it. */
export function hmacToken({ kid, material, ...claims }: HmacTokenParts): string {
  const fixed = { iss: 'icp-runtime-jwt-issuer', aud: 'icp-server', sub: 'icp-artifact-fetcher' }
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const input = `${encode({ alg: 'HS256', typ: 'JWT', kid })}.${encode({ ...fixed, ...claims })}`
  return `${input}.${createHmac('sha256', material).update(input).digest('base64url')}`
}
