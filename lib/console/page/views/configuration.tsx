/**
 * Configuration.
 *
 * @module
 */

import type { JSX } from 'preact'
import { View } from '../components/view.js'

export function Configuration(): JSX.Element {
  return <View title="Configuration">{null}</View>
}
