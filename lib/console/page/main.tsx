/**
 * The operators' page: starts it where the server has delivered it.
 *
 * @module
 */

import { render } from 'preact'
import { watchSession } from '../../browser/watch-session.js'
import { App } from './app.js'

await firstFrame()
render(<App />, document.getElementById('page')!)

// The mount is a portal of its own: the page warns before its session ends.
watchSession({ portal: location.pathname })

/** Lets what `index.html` has be painted first, which is sooner by some 50 ms; a tab that is not seen is not painted. */
function firstFrame(): Promise<void> {
  return new Promise((resolve) => {
    requestAnimationFrame(() => setTimeout(resolve))
    setTimeout(resolve, 100)
  })
}
