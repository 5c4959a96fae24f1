/**
 * Names come from stores, and from whoever tries to log in: each text of the page shows the characters that cannot be seen.
 *
 * @module
 */

import { options, type VNode } from 'preact'
import { visible } from './format.js'

const spoken = ['title', 'aria-label'] as const

/** From now on, of each text and of what elements are called. Addresses of links, and values of fields, stay what they are. */
export function keepTextsVisible(): void {
  const before = options.vnode
  options.vnode = (node: VNode) => {
    const { type, props } = node as { readonly type: unknown; readonly props: unknown }
    // Preact makes a node of each text, which is then all that the node has.
    if (type === null && typeof props === 'string') Object.assign(node, { props: visible(props) })
    else if (typeof type === 'string') nameVisibly(props as Record<string, unknown>)
    before?.(node)
  }
}

function nameVisibly(props: Record<string, unknown>): void {
  for (const name of spoken) {
    const text = props[name]
    if (typeof text === 'string') props[name] = visible(text)
  }
}
