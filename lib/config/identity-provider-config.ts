/**
 * What the configuration says of identity providers: where people can sign in besides the user store.
 *
 * @module
 */

import type { Origin } from '../core/errors.js'

/** One `[[identity_provider]]`, or `[sso]`: an OpenID provider that people sign in at. */
export interface IdentityProviderConfig {
  /** `name`: what `sign_in` calls it, and a step of its callback path. `sso` for the table of that name. */
  readonly name: string
  /** `title`: what the login page calls it. @defaultValue made of the name */
  readonly title: string | undefined
  /** `issuer`: an https URL, or http on this machine; compared character by character. */
  readonly issuer: string
  /** `client_id` */
  readonly clientId: string
  /** `client_secret`; `undefined`: a public client, which PKCE protects. */
  readonly clientSecret: string | undefined
  /** `scopes`, `openid` among them. @defaultValue `['openid', 'profile']` */
  readonly scopes: readonly string[]
  /** `subject_claim`: the claim that users are named by. @defaultValue `'sub'` */
  readonly subjectClaim: string
  /** `roles_claim`: a claim, or a path of names with dots between them; `undefined`: no groups are read. */
  readonly rolesClaim: string | undefined
  /** `role_mapping`: roles here, by the group there. */
  readonly roleMapping: Readonly<Record<string, readonly string[]>>
  /** `admin_roles`: groups there whose members are administrators here. @defaultValue none */
  readonly adminRoles: readonly string[]
  /** `required_claims`: values of which a claim must have one. @defaultValue none */
  readonly requiredClaims: Readonly<Record<string, readonly string[]>>
  /** `allow_unmapped`: whether users may sign in whose groups are no role here. @defaultValue `false` */
  readonly allowUnmapped: boolean
  /** `domain_name`, in capitals: what stands before the names of its users. @defaultValue the name */
  readonly domainName: string
  /** `session_ceiling`: when a session ends at the latest; `undefined`: when those of the portal do. */
  readonly sessionCeilingMs: number | undefined
  /** `public_origin`: where people reach the portals; `undefined`: as the request says. */
  readonly publicOrigin: string | undefined
  /** The table of the provider. */
  readonly origin: Origin
}
