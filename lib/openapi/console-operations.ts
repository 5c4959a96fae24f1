/**
 * What the operators' page alone answers.
 *
 * @module
 */

import { consoleIndex } from '../console/index-schema.js'
import { json, type Operation } from './operation.js'

export const consoleOperation: Operation = {
  method: 'get',
  path: '/',
  id: 'getConsole',
  tag: 'console',
  summary: 'Get who asks, and what there is',
  access: 'administrator',
  answers: { 200: json('The administrator and the server.', consoleIndex) },
}
