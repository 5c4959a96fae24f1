import { indexUse } from './index-use.js'

indexUse(1_000_000)
