/**
 * Which keys are known: those that are read, those that are not our business, and those that are better not there.
 *
 * @module
 */

import { deploymentTable } from '../tables/deployment.js'
import type { TreeValue } from '../tree.js'
import { catalogueOf, defaultsOf, type KnownKey } from './known-key.js'

/** The catalogue of known keys. */
export const knownKeys: KnownKey = catalogueOf(deploymentTable)

/** What a `$ref{}` finds where the file has nothing: our defaults, and those of WSO2 for keys that files refer to. */
export const defaultValues: ReadonlyMap<string, TreeValue> = new Map<string, TreeValue>([
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
  ...(defaultsOf(knownKeys) as Map<string, TreeValue>),
])
