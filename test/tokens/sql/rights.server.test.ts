import { breakGlassStateIn } from '../../../lib/app/sql-shared-values.js'
import { SqlOauthStore } from '../../../lib/oauth/sql-oauth-store.js'
import { SqlLink } from '../../../lib/sql/sql-link.js'
import { SqlTokenStore } from '../../../lib/tokens/sql/sql-token-store.js'
import { onEachEngine } from '../../helpers/each-engine.js'
import { recordedLog } from '../../helpers/recorded-log.js'
import { sharedRights } from '../rights-contract.js'

onEachEngine((engine) => {
  sharedRights(async (keyPrefix) => {
    const { logger } = recordedLog()
    const link = new SqlLink({ database: await engine().open(), keyPrefix, logger })
    const oauthStore = new SqlOauthStore({ link, maxEntries: 100, onEvict() {} })
    return { link, tokenStore: new SqlTokenStore({ link }), oauthStore, breakGlassState: breakGlassStateIn(link) }
  })
})
