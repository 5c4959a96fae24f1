/**
 * The answer of the root of the operators' API.
 *
 * @module
 */

import * as z from 'zod'
import { component, type Shape } from '../core/components.js'
import type { ConsoleIndex } from './api.js'

const features = z.object({
  users: z.enum(['managed', 'read-only']).describe('Whether users can be changed.'),
  serviceProviders: z.boolean().describe('Whether there is an authorization server.'),
  auditTrail: z.boolean().describe('Whether there is an audit trail in a file.'),
  reload: z.boolean().describe('Whether there is a file to read anew.'),
} satisfies Shape<ConsoleIndex['features']>)

export const consoleIndex = component(
  'Console',
  'Who asks, and what there is.',
  z.object({
    user: z.string().describe('The administrator who is signed in.'),
    session: z.string().nullable().describe('Id of the session that asks, as the list of sessions has it.'),
    version: z.string().describe('Of Sallyport.'),
    title: z.string().describe('What the portal is called.'),
    file: z.string().nullable().describe('The configuration file; null where the app made the configuration itself.'),
    features: features.describe('What there is.'),
  } satisfies Shape<ConsoleIndex>),
)
