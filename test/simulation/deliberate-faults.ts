/** Faults that are put into the code on purpose, one at a time: a simulation that does not find them finds nothing. */

import type { Change } from './compiled.js'

const session = 'lib/redis/redis-session.ts'
const store = 'lib/tokens/redis/redis-token-store.ts'
const local = 'lib/tokens/external/local-tokens.ts'
const revocations = 'lib/tokens/redis/redis-revocations.ts'
const scripts = 'lib/tokens/redis/token-scripts.ts'
const oauthStore = 'lib/oauth/redis-oauth-store.ts'
const oauthScripts = 'lib/oauth/oauth-scripts.ts'

export interface DeliberateFault {
  readonly name: string
  readonly change: Change
}

const fault = (name: string, file: string, from: string, to: string): DeliberateFault => {
  return { name, change: { file, from, to } }
}

export const deliberateFaults: readonly DeliberateFault[] = [
  fault('no lease', session, '!this.isOver && msSince(this.provenAt) <= this.#options.leaseMs', '!this.isOver'),
  fault('no generations', store, 'reading.isOutdated || ', ''),
  fault('no clearing when the connection is lost', local, '    this.#tokens.clear()\n', ''),
  fault('a proof that is no write', session, "redis.call('DEL', KEYS[1])\n", ''),
  fault(
    'lost revocations are not repeated',
    revocations,
    'for (const slice of slicesOf(ids, sliceSize)) await this.#run(removeScript, slice, run)',
    '',
  ),
  fault(
    'a clock that is set forward forgets revocations',
    'lib/tokens/external/acknowledged-revocations.ts',
    'return performance.now() - at < replayMs',
    'return Date.now() - performance.timeOrigin - at < replayMs',
  ),
  fault('a login that a revocation has overtaken', scripts, 'tonumber(revoked) > number(12)', 'false'),
  fault(
    'a changed key is not forgotten',
    local,
    'this.#tokens.delete(id)\n    for (const reading of',
    'for (const reading of',
  ),
  fault(
    'one token too many',
    scripts,
    "while redis.call('ZCARD', uses) >= size do",
    "while redis.call('ZCARD', uses) > size do",
  ),
  fault(
    'a code that stays good',
    oauthScripts,
    "if not member or used ~= '0' then return 0 end",
    'if not member then return 0 end',
  ),
  fault('lost uses of codes are not repeated', oauthStore, 'this.#remember(consumeScript, args)', ''),
  fault('news that nobody is told of', 'lib/redis/news.ts', 'this.#tell(Number(number), subject || undefined)', ''),
]
