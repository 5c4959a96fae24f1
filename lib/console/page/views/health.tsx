/**
 * Health.
 *
 * @module
 */

import type { JSX } from 'preact'
import { View } from '../components/view.js'

export function Health(): JSX.Element {
  return <View title="Health">{null}</View>
}
