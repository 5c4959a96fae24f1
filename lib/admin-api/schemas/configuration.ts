/**
 * Answers of `/configuration`, `/api-tokens` and `/service-providers`.
 *
 * @module
 */

import * as z from 'zod'
import { component, moment, type Shape } from '../../core/components.js'
import type { Position } from '../../core/errors.js'
import { pageOf } from './sessions.js'

const line = z.int().positive().describe('The line, from 1.')
const column = z.int().positive().describe('The column, from 1.')

export const position = component(
  'Position',
  'Where something is written.',
  z.object({ file: z.string().describe('The file.'), line, column } satisfies Shape<Position>),
)

const rule = component(
  'Rule',
  'A key of the configuration. Without a file it is a default, or the app has made the configuration itself.',
  z.object({
    key: z.string().describe('The key.'),
    file: z.string().exactOptional().describe('The file.'),
    line: line.exactOptional(),
  }),
)
export type RuleEntry = Readonly<z.output<typeof rule>>

const texts = z.array(z.string()).readonly()

const configurationKey = component(
  'ConfigurationKey',
  'A key of the configuration: one that the file has, or one that holds by default.',
  z.object({
    key: z.string().describe('The key.'),
    value: z.string().describe('In the form of JSON; `***` in the place of a secret. Empty: nothing reads it.'),
    origin: z
      .enum(['file', 'default', 'inferred', 'environment', 'system-property', 'reference', 'secret'])
      .describe('Where the value comes from.'),
    names: texts.exactOptional().describe('What its placeholders name.'),
    position: position.nullable().describe('Where it is written; null: it is not.'),
    class: z
      .enum(['used', 'other', 'without-effect', 'risky', 'unknown', 'mistake'])
      .describe('As `sallyport check` says it.'),
    note: z.string().exactOptional().describe('Why it has no effect.'),
  }),
)
export type ConfigurationKey = Readonly<z.output<typeof configurationKey>>

const finding = component(
  'ConfigurationFinding',
  'A finding of `sallyport check`.',
  z.object({
    class: z.enum(['without-effect', 'risky', 'unknown', 'mistake']).describe('What it is.'),
    key: z.string().describe('The key.'),
    rule: z.string().describe('What is to be said of it.'),
    position: position.nullable().describe('Where it is written.'),
    suggestion: z.string().exactOptional().describe('The known key that is spelled most like it.'),
    isFixable: z.boolean().describe('Whether `--fix` puts it right.'),
  }),
)
export type ConfigurationFinding = Readonly<z.output<typeof finding>>

export const configurationView = component(
  'Configuration',
  'The configuration in effect, with secrets masked.',
  z.object({
    file: z.string().nullable().describe('The file; null: the app has made the configuration itself.'),
    readAt: moment('When the configuration in effect was read.'),
    keys: z
      .array(configurationKey)
      .readonly()
      .describe('Those of the file, in its order; then those that are not written.'),
    findings: z.array(finding).readonly().describe('What should be put right.'),
    hasChangedOnDisk: z.boolean().describe('Whether the file says something else by now, or cannot be read.'),
    isReadableOnDisk: z.boolean().describe('Whether the file can be read now; true where there is none.'),
  }),
)
export type ConfigurationView = Readonly<z.output<typeof configurationView>>

const apiToken = component(
  'ApiToken',
  'A token that the configuration gives to a program. Neither it nor its hash is part of this.',
  z.object({
    id: z.string().nullable().describe('What `DELETE /sessions/{id}` ends it by; null: it has ended.'),
    name: z.string().describe('Its name in the file.'),
    subject: z.string().describe('The user that its sessions are listed with.'),
    isAdmin: z.boolean().describe('Whether it has the rights of administrators.'),
    roles: texts.describe('Its roles.'),
    addresses: texts.nullable().describe('Addresses and networks that it may be used from; null: all.'),
    paths: texts.nullable().describe('Paths that it opens, with everything below them; null: all.'),
    expiresAt: moment('When it ends.'),
    lastUsedAt: moment('').nullable().describe('When it was used last; null: never, or that is not known.'),
    rule,
  }),
)
export type ApiTokenEntry = Readonly<z.output<typeof apiToken>>

export const apiTokenPage = pageOf('ApiTokenPage', 'API tokens of the configuration.', apiToken)

const serviceProvider = component(
  'ServiceProvider',
  'An app that may sign people in through the authorization server.',
  z.object({
    clientId: z.string().describe('Its `client_id`.'),
    name: z.string().describe('Its name.'),
    type: z.enum(['public', 'confidential']).describe('`public`: it has no secret.'),
    pkce: z.literal('mandatory').describe('Always this, with S256.'),
    hasSecret: z.boolean().describe('Whether it has a secret, which is no part of this.'),
    grants: z
      .array(z.enum(['authorization_code', 'client_credentials']))
      .readonly()
      .describe('How it gets tokens.'),
    redirectUris: texts.describe('Where codes are sent.'),
    postLogoutRedirectUris: texts.describe('Where the browser may be sent after a sign-out.'),
    scopes: texts.describe('Scopes that it may ask for besides those of every provider.'),
    audience: z.string().describe('`aud` of its access tokens.'),
    backchannelLogoutUri: z.string().nullable().describe('Where it is told of sign-outs; null: it is not.'),
    rule,
  }),
)
export type ServiceProviderEntry = Readonly<z.output<typeof serviceProvider>>

export const serviceProviderPage = pageOf('ServiceProviderPage', 'Service providers in effect.', serviceProvider)
