import { generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { folderWith, pemOfKey } from '../helpers/key-files.js'
import { serverSetUps } from '../helpers/set-ups.js'
import { happenings, kinds, startStage } from './lifecycle-stage.js'

vi.mock('../../lib/files/read-file.js', async (importOriginal) => {
  const { withHolds } = await import('../helpers/held-files.js')
  return withHolds(await importOriginal())
})

const keyPem = pemOfKey(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
const names = Object.keys(happenings)
const pairs = kinds.flatMap((kind) => names.flatMap((outer) => names.map((inner) => [kind, outer, inner] as const)))
const cases = pairs.map(([kind, outer, inner], index) => {
  const setUp = serverSetUps[index % serverSetUps.length]!
  return [`${inner} in the middle of ${outer} (${kind.name}, ${setUp.name})`, { kind, outer, inner, setUp }] as const
})

// Covers: C07 D13 E06
describe('whatever meets', () => {
  it('is each of these in the middle of each other', () => {
    expect(names).toEqual([
      'mount',
      'reload',
      'close',
      'revoke',
      'revoke of a user',
      'logout',
      'evict',
      'store failure',
      'store failure at a request',
    ])
  })

  it.each(cases)('%s: what was ended stays dead, and the rules are the last ones', async (_title, happening) => {
    const { kind, outer, inner, setUp } = happening
    const keyFile = join(folderWith({ 'key.pem': keyPem }), 'key.pem')
    const stage = await startStage({ setUp, kind, keyFile })
    const finishOuter = await happenings[outer]!(stage, kind)
    const whole = async (): Promise<void> => {
      const finish = await happenings[inner]!(stage, kind)
      await finish()
    }
    const within = whole()
    // Reloads come one after the other: the inner one has its turn when the outer one has ended.
    if (outer !== 'reload' || inner !== 'reload') await within
    await finishOuter()
    await within
    await stage.check()
  })
})
