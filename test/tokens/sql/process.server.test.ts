import { onEachEngine } from '../../helpers/each-engine.js'
import { appProcesses } from '../app-processes.js'

onEachEngine((engine) => {
  // Asked at each request: what was revoked is refused from the answer on.
  appProcesses({ url: engine, store: {}, boundMs: 0, hold: () => engine().hold() })
})
