/**
 * Writes dist/deployment.schema.json, the JSON Schema of `deployment.toml`, from the schemas that were built before: a part of
 * `npm run build`.
 *
 * @module
 */

import { writeFileSync } from 'node:fs'
import { createDeploymentJsonSchema } from '../dist/config/json-schema.js'

const file = new URL('../dist/deployment.schema.json', import.meta.url)
writeFileSync(file, `${JSON.stringify(createDeploymentJsonSchema())}\n`)
