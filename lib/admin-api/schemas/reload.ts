/**
 * Answers of `/reload`.
 *
 * @module
 */

import * as z from 'zod'
import { component, count } from '../../core/components.js'
import { position } from './configuration.js'

export const reloadOutcome = component(
  'Reloaded',
  'The configuration file was read and is in effect.',
  z.object({
    status: z.literal('Reloaded').describe('Always this.'),
    changed: z.array(z.string()).readonly().describe('Names of the tables that have changed.'),
    atNextStart: z.array(z.string()).readonly().describe('Keys whose change takes effect at the next start.'),
  }),
)
export type ReloadOutcome = Readonly<z.output<typeof reloadOutcome>>

const problem = z.object({
  key: z.string().describe('Key of the configuration.'),
  rule: z.string().describe('What it asks for, and what it got instead.'),
  position: position.nullable().describe('Where it stands.'),
  suggestion: z.string().exactOptional().describe('The known key that is spelled most like it.'),
})
export type ReloadProblem = Readonly<z.output<typeof problem>>

const uncompared = z.object({
  key: z.string().describe('Key of the configuration.'),
  position: position.optional().describe('Where it stands.'),
})

export const reloadPreview = component(
  'ReloadPreview',
  'What a reload would do. It has changed nothing.',
  z.object({
    file: z.string().describe('The configuration file.'),
    version: z.string().describe('Of the text that was read, for `POST /reload`; empty: it cannot be read.'),
    isChanged: z.boolean().describe('Whether the file has another text than the configuration in effect.'),
    problems: z
      .array(problem)
      .readonly()
      .describe('Mistakes that would refuse the reload: then the rest is empty. The first 500.'),
    changed: z.array(z.string()).readonly().describe('Tables with other values. The first 500.'),
    atNextStart: z.array(z.string()).readonly().describe('Keys whose change takes effect at the next start.'),
    widened: count('Classes of requests that are newly let in.'),
    narrowed: count('Classes of requests that are newly refused.'),
    notCompared: z.array(uncompared).readonly().describe('Keys that differ, and that no request tells. The first 500.'),
    isComplete: z.boolean().describe('`false`: the requests could not be compared in the time for it.'),
    diff: z.string().describe('What `sallyport diff` prints, up to 64 KiB.'),
  }),
)
export type ReloadPreview = Readonly<z.output<typeof reloadPreview>>
