/**
 * Audit.
 *
 * @module
 */

import type { JSX } from 'preact'
import { View } from '../components/view.js'

export function Audit(): JSX.Element {
  return <View title="Audit">{null}</View>
}
