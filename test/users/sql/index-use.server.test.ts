import { indexUse } from './index-use.js'

indexUse(20_000)
