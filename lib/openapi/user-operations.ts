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
import { json, type Operation } from './operation.js'

const badBody = 'The body is no JSON object, a member is missing or cannot be meant, or the store refuses the change.'
const writing = {
  413: 'The body is larger than 64 KiB.',
  415: 'The body is no JSON.',
}
const ofUser = { id: 'The name of the user.' }
const ofRole = { name: 'The name of the role. The slash of `Internal/everyone` may stand as it is.' }
const noUser = 'There is no such user.'
const noRole = 'There is no such role.'
const mayNot = 'Only administrators may do this, or the store or the user is protected.'

const users: readonly Operation[] = [
  {
    method: 'get',
    path: '/users',
    id: 'listUsers',
    tag: 'users',
    summary: 'List and search users',
    access: 'administrator',
    query: userQuery,
    answers: { 200: json('The users that were found.', userList) },
  },
  {
    method: 'post',
    path: '/users',
    id: 'addUser',
    tag: 'users',
    summary: 'Add a user',
    access: 'administrator',
    body: { schema: newUser, isRequired: true },
    answers: { 200: json('The user is there.', userStatus) },
    refusals: { 400: badBody, 403: mayNot, ...writing },
  },
  {
    method: 'get',
    path: '/users/{id}',
    id: 'getUser',
    tag: 'users',
    summary: 'Get a user',
    access: 'administrator',
    parameters: ofUser,
    query: domainQuery,
    answers: { 200: json('The user.', user) },
    refusals: { 404: noUser },
  },
  {
    method: 'patch',
    path: '/users/{id}',
    id: 'changeUser',
    tag: 'users',
    summary: 'Set a password, disable or enable a user',
    description: 'Callers may change their own password with the present one; the rest is for administrators.',
    access: 'administrator',
    parameters: ofUser,
    query: domainQuery,
    body: { schema: userChange, isRequired: true },
    answers: { 200: json('It is changed.', userStatus) },
    refusals: { 400: badBody, 403: mayNot, 404: noUser, ...writing },
  },
  {
    method: 'delete',
    path: '/users/{id}',
    id: 'removeUser',
    tag: 'users',
    summary: 'Remove a user',
    description: 'The sessions of the user end. It cannot be undone.',
    access: 'administrator',
    parameters: ofUser,
    query: domainQuery,
    answers: { 200: json('The user is gone.', userStatus) },
    refusals: { 403: mayNot, 404: noUser },
  },
]

const roles: readonly Operation[] = [
  {
    method: 'get',
    path: '/roles',
    id: 'listRoles',
    tag: 'roles',
    summary: 'List and search roles',
    access: 'administrator',
    query: roleQuery,
    answers: { 200: json('The roles that were found.', roleList) },
  },
  {
    method: 'post',
    path: '/roles',
    id: 'addRole',
    tag: 'roles',
    summary: 'Add a role',
    access: 'administrator',
    body: { schema: newRole, isRequired: true },
    answers: { 200: json('The role is there.', roleStatus) },
    refusals: { 400: badBody, 403: mayNot, ...writing },
  },
  {
    method: 'put',
    path: '/roles',
    id: 'changeRoles',
    tag: 'roles',
    summary: 'Give roles to a user, and take them away',
    access: 'administrator',
    body: { schema: roleChange, isRequired: true },
    answers: { 200: json('It is changed.', userStatus) },
    refusals: { 400: badBody, 403: mayNot, 404: noUser, ...writing },
  },
  {
    method: 'get',
    path: '/roles/{name}',
    id: 'getRole',
    tag: 'roles',
    summary: 'Get a role and who has it',
    access: 'administrator',
    parameters: ofRole,
    query: domainQuery,
    answers: { 200: json('The role.', role) },
    refusals: { 404: noRole },
  },
  {
    method: 'delete',
    path: '/roles/{name}',
    id: 'removeRole',
    tag: 'roles',
    summary: 'Remove a role',
    access: 'administrator',
    parameters: ofRole,
    query: domainQuery,
    answers: { 200: json('The role is gone.', roleStatus) },
    refusals: { 403: mayNot, 404: noRole },
  },
]

export const userOperations: readonly Operation[] = [...users, ...roles]
