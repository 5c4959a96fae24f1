/**
 * The operators' page: starts it where the server has delivered it.
 *
 * @module
 */

import { render } from 'preact'
import { watchSession } from '../../browser/watch-session.js'
import { App } from './app.js'

render(<App />, document.getElementById('page')!)

// The mount is a portal of its own: the page warns before its session ends.
watchSession({ portal: location.pathname })
