/**
 * Answers of `/events`.
 *
 * @module
 */

import * as z from 'zod'
import type { EventEntry } from '../../console/recent-events.js'
import { component, moment, type Shape } from '../../core/components.js'
import { eventNames } from '../../core/events.js'
import { pageOf, pageQuery } from './sessions.js'

export const eventQuery = z.object({
  after: z
    .int()
    .nonnegative()
    .optional()
    .describe('Events with a greater id. One that is yet to come is of a process before this one: all events.'),
  event: z.string().optional().describe('Events of this name.'),
  user: z
    .string()
    .optional()
    .describe('Events with this user, compared whole and case-insensitively; `*` stands for any characters.'),
  ...pageQuery.shape,
})

type Known = Pick<EventEntry, 'id' | 'time' | 'event' | 'level' | 'message' | 'process'>

export const eventEntry = component(
  'Event',
  'An event, with the fields of its own. Texts are cut to 500 characters.',
  z.looseObject({
    id: z.int().positive().describe('Counts the events of this process.'),
    time: moment('When it happened.'),
    event: z.enum(eventNames).describe('The name of the event.'),
    level: z.enum(['info', 'warn', 'error']).describe('How grave it is.'),
    message: z.string().describe('What happened, for people.'),
    process: z.string().describe('Random, of the process: the ids of another one say nothing about it.'),
  } satisfies Shape<Known>),
)

export const eventPage = pageOf('EventPage', 'Events of late, the newest first. The last 1000 are kept.', eventEntry)
