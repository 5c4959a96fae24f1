/**
 * Users and roles: in a store that can be managed, or to be read only.
 *
 * @module
 */

import { newRole, newUser, roleChange, userChange } from '../admin-api/schemas/bodies.js'
import {
  domainQuery,
  role,
  roleList,
  roleQuery,
  roleStatus,
  user,
  userList,
  userQuery,
  userStatus,
} from '../admin-api/schemas/users.js'
import { json, type Operation, operationWith } from './operation.js'

const users = operationWith('users', 'administrator')
const roles = operationWith('roles', 'administrator')

const ofUser = { id: 'The name of the user.' }
const ofRole = { name: 'The name of the role. The slash of `Internal/everyone` may stand as it is.' }
const noUser = 'There is no such user.'
const noRole = 'There is no such role.'
const mayNot = 'Only administrators may do this, or the store or the user is protected.'
const writing = {
  400: 'The body is no JSON object, a member is missing or cannot be meant, or the store refuses the change.',
  403: mayNot,
  413: 'The body is larger than 64 KiB.',
  415: 'The body is no JSON.',
}

export const userOperations: readonly Operation[] = [
  users('GET /users', 'listUsers', 'List and search users', {
    query: userQuery,
    answers: { 200: json('The users that were found.', userList) },
  }),
  users('POST /users', 'addUser', 'Add a user', {
    body: { schema: newUser, isRequired: true },
    answers: { 200: json('The user is there.', userStatus) },
    refusals: writing,
  }),
  users('GET /users/{id}', 'getUser', 'Get a user', {
    parameters: ofUser,
    query: domainQuery,
    answers: { 200: json('The user.', user) },
    refusals: { 404: noUser },
  }),
  users('PATCH /users/{id}', 'changeUser', 'Set a password, disable or enable a user', {
    description: 'Callers may change their own password with the present one; the rest is for administrators.',
    parameters: ofUser,
    query: domainQuery,
    body: { schema: userChange, isRequired: true },
    answers: { 200: json('It is changed.', userStatus) },
    refusals: { ...writing, 404: noUser },
  }),
  users('DELETE /users/{id}', 'removeUser', 'Remove a user', {
    description: 'The sessions of the user end. It cannot be undone.',
    parameters: ofUser,
    query: domainQuery,
    answers: { 200: json('The user is gone.', userStatus) },
    refusals: { 403: mayNot, 404: noUser },
  }),

  roles('GET /roles', 'listRoles', 'List and search roles', {
    query: roleQuery,
    answers: { 200: json('The roles that were found.', roleList) },
  }),
  roles('POST /roles', 'addRole', 'Add a role', {
    body: { schema: newRole, isRequired: true },
    answers: { 200: json('The role is there.', roleStatus) },
    refusals: writing,
  }),
  roles('PUT /roles', 'changeRoles', 'Give roles to a user, and take them away', {
    body: { schema: roleChange, isRequired: true },
    answers: { 200: json('It is changed.', userStatus) },
    refusals: { ...writing, 404: noUser },
  }),
  roles('GET /roles/{name}', 'getRole', 'Get a role and who has it', {
    parameters: ofRole,
    query: domainQuery,
    answers: { 200: json('The role.', role) },
    refusals: { 404: noRole },
  }),
  roles('DELETE /roles/{name}', 'removeRole', 'Remove a role', {
    parameters: ofRole,
    query: domainQuery,
    answers: { 200: json('The role is gone.', roleStatus) },
    refusals: { 403: mayNot, 404: noRole },
  }),
]
