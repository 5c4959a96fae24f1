/**
 * What other programs call the management API with, after parsing.
 *
 * @module
 */

/** `[management_api.trusted_issuer]`: tokens of an identity provider that the management API takes beside its own. */
export interface TrustedIssuerConfig {
  /** `issuer`: `iss` of the tokens, compared character by character. */
  readonly issuer: string
  /** `jwks_uri`; `undefined`: what the issuer's discovery document says. */
  readonly jwksUri: string | undefined
  /** `audience`: `aud` of the tokens. */
  readonly audience: string
  /** `typ`: what the header says of the tokens. `'JWT'`: this, or nothing; then ID tokens are told by their claims. @defaultValue `'at+jwt'` */
  readonly type: 'at+jwt' | 'JWT'
  /** `domain_name`, in capitals: what stands before the subjects. @defaultValue `'TRUSTED'` */
  readonly domainName: string
  /** `roles_claim`: a name, or names with dots between them. @defaultValue `'roles'` */
  readonly rolesClaim: string
  /** `role_mapping`: roles here by the value of the claim. @defaultValue none */
  readonly roleMapping: Readonly<Record<string, readonly string[]>>
  /** `admin_roles`: values of the claim that make an administrator. @defaultValue none */
  readonly adminRoles: readonly string[]
  /** `allow_unmapped`: whether a token is taken that gives no role. @defaultValue `false` */
  readonly allowUnmapped: boolean
  /** `max_token_age`: how long after its issue a token is good at the most. @defaultValue 86_400_000 (24 hours) */
  readonly maxTokenAgeMs: number
}

/** One `[[management_api.api_tokens]]`. */
export interface ApiTokenConfig {
  /** `name`: the subject is `API/<name>`. */
  readonly name: string
  /** `hash`: SHA-256 of the token, hexadecimal. */
  readonly hash: string
  /** `roles` @defaultValue none */
  readonly roles: readonly string[]
  /** `admin` @defaultValue `false` */
  readonly isAdmin: boolean
  /** `expires`, in milliseconds since the epoch. */
  readonly expiresAt: number
  /** `allow`: the addresses and networks it may be used from; `undefined`: from everywhere. */
  readonly allowedNetworks: readonly string[] | undefined
  /** `paths`: the paths that it opens, with everything below them; `undefined`: all. */
  readonly paths: readonly string[] | undefined
}

/** `[icp_config]`: the secret that WSO2's Integration Control Plane signs its calls with. */
export interface IcpConfig {
  /** What stands before the first dot of `secret`: it names the key. */
  readonly kid: string
  /** What stands behind it: its bytes are the key. */
  readonly material: string
  /** `allow`: the addresses and networks that it may call from; `undefined`: from everywhere. */
  readonly allowedNetworks: readonly string[] | undefined
}
