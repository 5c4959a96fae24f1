/**
 * Which keys are known: those that the schemas read, those that are left alone, and those that are better not there.
 *
 * @module
 */

import * as z from 'zod'
import { deploymentTable } from '../schema/deployment.js'
import type { TreeValue } from '../values/tree.js'
import { riskyKeys, unreadKeys } from './our-tables.js'

export interface KnownKey {
  /** What may stand below it; `*` stands for any name. */
  readonly children: Map<string, KnownKey>
  /** Everything below it is known. */
  isOpen: boolean
  /** A schema takes its value, or values below it. */
  isRead: boolean
  /** What is read where the file has nothing. */
  defaultValue: unknown
  /** What it does; one that is read and has no effect says so first. */
  description: string | undefined
  /** Why it is better not there. */
  advice: string | undefined
}

let catalogue: KnownKey | undefined

export function knownKeys(): KnownKey {
  catalogue ??= createCatalogue()
  return catalogue
}

/** What may be written in the file, as JSON Schema: the schemas say themselves which keys they read. */
export function deploymentSchema(): z.core.JSONSchema.BaseSchema {
  schema ??= z.toJSONSchema(deploymentTable, { io: 'input', unrepresentable: 'any' })
  return schema
}

let schema: z.core.JSONSchema.BaseSchema | undefined

export function childNamed(key: KnownKey, name: string): KnownKey | undefined {
  return key.children.get(name) ?? key.children.get('*')
}

let defaults: Map<string, TreeValue> | undefined

/** What a `$ref{}` finds where the file has nothing: our defaults, and those of WSO2 for keys that files refer to. */
export function defaultValues(): ReadonlyMap<string, TreeValue> {
  if (defaults !== undefined) return defaults
  const found = new Map<string, TreeValue>([
    ['server.hostname', 'localhost'],
    ['super_admin.create_admin_account', true],
    ['keystore.primary.file_name', 'repository/resources/security/wso2carbon.jks'],
    ['keystore.primary.type', 'JKS'],
    ['keystore.primary.alias', 'wso2carbon'],
    ['keystore.primary.password', 'wso2carbon'],
    ['keystore.primary.key_password', 'wso2carbon'],
    ['truststore.file_name', 'repository/resources/security/client-truststore.jks'],
    ['truststore.type', 'JKS'],
    ['truststore.password', 'wso2carbon'],
    ['user_store.base_dn', 'dc=wso2,dc=org'],
  ])
  const visit = (key: KnownKey, path: string): void => {
    if (key.children.size === 0 && key.defaultValue !== undefined) found.set(path, key.defaultValue as TreeValue)
    for (const [name, child] of key.children) visit(child, path === '' ? name : `${path}.${name}`)
  }
  visit(knownKeys(), '')
  defaults = found
  return found
}

function createCatalogue(): KnownKey {
  const root = createKey()
  addSchema(root, deploymentSchema())
  for (const [table, keys] of Object.entries(unreadKeys)) {
    addChild(root, table)
    for (const key of keys) addNames(root, [table, ...key.split('.')])
  }
  for (const [key, advice] of Object.entries(riskyKeys)) addNames(root, key.split('.')).advice = advice
  return root
}

function createKey(): KnownKey {
  return {
    children: new Map(),
    isOpen: false,
    isRead: false,
    defaultValue: undefined,
    description: undefined,
    advice: undefined,
  }
}

function addChild(key: KnownKey, name: string): KnownKey {
  const known = key.children.get(name) ?? createKey()
  key.children.set(name, known)
  return known
}

function addNames(root: KnownKey, names: readonly string[]): KnownKey {
  let key = root
  for (const name of names) {
    if (name === '**') key.isOpen = true
    else key = addChild(key, name)
  }
  return key
}

function addSchema(key: KnownKey, schema: z.core.JSONSchema.BaseSchema | boolean): void {
  if (typeof schema === 'boolean') return
  const { properties = {}, additionalProperties: others, items } = schema
  key.isRead = true
  key.defaultValue = schema.default ?? key.defaultValue
  key.description ??= schema.description
  for (const [name, inner] of Object.entries(properties)) addSchema(addChild(key, name), inner)
  // A table that passes other keys on does not know them for that.
  if (typeof others === 'object' && Object.keys(others).length > 0) addSchema(addChild(key, '*'), others)
  if (items !== undefined && !Array.isArray(items)) addSchema(key, items)
}
