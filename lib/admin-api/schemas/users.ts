/**
 * Answers of `/users` and `/roles`, in the shapes of WSO2.
 *
 * @module
 */

import * as z from 'zod'
import { component, count } from '../../core/components.js'
import { domain } from './bodies.js'

export const userStatus = component(
  'UserStatus',
  'What was done to a user.',
  z.object({
    userId: z.string().describe('The name, with `DOMAIN/` before it unless the store is the primary one.'),
    status: z.string().meta({ description: 'What was done.', examples: ['Added'] }),
  }),
)
export type UserStatus = Readonly<z.output<typeof userStatus>>

export const userList = component(
  'UserList',
  'Users by name.',
  z.object({
    count: count('Users in the list.'),
    list: z.array(z.object({ userId: z.string().describe('The name.') })).describe('The users.'),
  }),
)
export type UserList = Readonly<z.output<typeof userList>>

export const user = component(
  'User',
  'A user.',
  z.object({
    userId: z.string().describe('The name, as the user store spells it.'),
    isAdmin: z.boolean().describe('Whether the user is an administrator.'),
    roles: z.array(z.string()).describe('Roles of the user.'),
    isDisabled: z.literal(true).optional().describe('There for a user who cannot log in.'),
  }),
)
export type User = Readonly<z.output<typeof user>>

export const userQuery = z.object({
  pattern: z.string().optional().describe('Names that match: `*` stands for any characters.'),
  role: z.string().optional().describe('Users with this role.'),
  searchKey: z.string().optional().describe('Names with this text in them.'),
  domain: z.string().optional().describe(domain),
})

export const domainQuery = z.object({ domain: z.string().optional().describe(domain) })

export const roleStatus = component(
  'RoleStatus',
  'What was done to a role.',
  z.object({
    role: z.string().describe('The name.'),
    status: z.string().meta({ description: 'What was done.', examples: ['Added'] }),
  }),
)
export type RoleStatus = Readonly<z.output<typeof roleStatus>>

export const roleList = component(
  'RoleList',
  'Roles by name.',
  z.object({
    count: count('Roles in the list.'),
    list: z.array(z.object({ role: z.string().describe('The name.') })).describe('The roles.'),
  }),
)
export type RoleList = Readonly<z.output<typeof roleList>>

export const role = component(
  'Role',
  'A role.',
  z.object({
    role: z.string().describe('The name.'),
    users: z.array(z.string()).describe('Names of the users who have it.'),
  }),
)
export type Role = Readonly<z.output<typeof role>>

export const roleQuery = z.object({ searchKey: z.string().optional().describe('Names with this text in them.') })
