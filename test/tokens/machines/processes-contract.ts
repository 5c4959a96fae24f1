import { expect, it } from 'vitest'
import { checkedTokenStore } from '../../../lib/tokens/checked-token-store.js'
import { createKeyRing } from '../../../lib/tokens/keys/key-ring.js'
import { createApiToken, hashApiToken } from '../../../lib/tokens/machines/api-token-text.js'
import { apiTokenSource } from '../../../lib/tokens/machines/api-tokens.js'
import { icpTokenSource } from '../../../lib/tokens/machines/icp-tokens.js'
import { createMachineTokens, type MachineTokens } from '../../../lib/tokens/machines/machine-tokens.js'
import { Revocations } from '../../../lib/tokens/revocations.js'
import type { TokenStore } from '../../../lib/tokens/token-store.js'
import { createTokens, type Tokens } from '../../../lib/tokens/tokens.js'
import { hmacToken } from '../../helpers/hmac-token.js'

/** One process of an app. */
interface Process {
  readonly machines: MachineTokens
  readonly tokens: Tokens
  isGood(token: string): Promise<boolean>
}

const material = 'material-of-more-than-32-bytes-for-hmac'
const token = createApiToken()

async function startProcess(given: TokenStore, clock: () => number): Promise<Process> {
  const store = checkedTokenStore(given)
  const parts = { store, clock, revocations: new Revocations(clock) }
  const machines = createMachineTokens(parts)
  const api = { name: 'deploy', roles: [], isAdmin: false, allowedNetworks: undefined, paths: undefined }
  machines.use([
    apiTokenSource([{ ...api, hash: hashApiToken(token), expiresAt: clock() + 600_000 }]),
    icpTokenSource({ kid: 'key-1', material, allowedNetworks: undefined }, clock),
  ])
  const keys = await createKeyRing({ algorithm: 'ES256' })
  const tokens = createTokens({ ...parts, machines, keys, issuer: 'i', audience: 'a', expiryMs: 1000 })
  return {
    machines,
    tokens,
    async isGood(text) {
      const verified = await Promise.resolve()
        .then(() => machines.verify(machines.read(text)!, () => ({ address: undefined })))
        .catch(() => undefined)
      return verified !== undefined
    },
  }
}

/** What holds for tokens that were not issued here, over two stores of one set of processes. */
export function processesContract(
  open: () => Promise<{ readonly stores: [TokenStore, TokenStore]; clock(): number }>,
): void {
  const start = async (): Promise<{ first: Process; second: Process; clock: () => number }> => {
    const { stores, clock } = await open()
    return { first: await startProcess(stores[0], clock), second: await startProcess(stores[1], clock), clock }
  }

  it('an API token that one process has revoked is refused by the other, also one that has never seen it', async () => {
    const { first, second } = await start()
    expect(await first.isGood(token)).toBe(true)
    const [listed] = await second.tokens.list({ kind: 'api' })
    expect(listed).toMatchObject({ subject: 'API/deploy' })
    expect(await second.tokens.revoke(listed!.id)).toBe(true)
    await expect.poll(() => first.isGood(token)).toBe(false)
    expect(await second.isGood(token)).toBe(false)
    expect(await first.tokens.list()).toEqual([])
  })

  it('a token of a user whose tokens one process has revoked is refused by the other, and a later one is good', async () => {
    const { first, second, clock } = await start()
    const now = Math.floor(clock() / 1000) - 10
    const seen = hmacToken({ kid: 'key-1', material, iat: now, exp: now + 300, jti: 'seen' })
    const unseen = hmacToken({ kid: 'key-1', material, iat: now, exp: now + 300, jti: 'unseen' })
    const later = hmacToken({ kid: 'key-1', material, iat: now + 60, exp: now + 300, jti: 'later' })
    expect(await first.isGood(seen)).toBe(true)
    expect(await second.isGood(seen)).toBe(true)
    await second.tokens.revokeUser('ICP/key-1')
    await expect.poll(() => first.isGood(seen)).toBe(false)
    expect(await first.isGood(unseen)).toBe(false)
    expect(await second.isGood(seen)).toBe(false)
    expect(await first.isGood(later)).toBe(true)
    expect(await second.isGood(later)).toBe(true)
  })
}
