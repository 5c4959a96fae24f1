/**
 * Service providers.
 *
 * @module
 */

import type { JSX } from 'preact'
import { View } from '../components/view.js'

export function ServiceProviders(): JSX.Element {
  return <View title="Service providers">{null}</View>
}
