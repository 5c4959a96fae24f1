import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { inBackground } from '../../lib/async/background.js'

const failures: Readonly<Record<string, () => unknown>> = {
  throws: () => {
    throw new Error('late')
  },
  rejects: () => Promise.reject(new Error('late')),
  'rejects, from another realm': () => runInNewContext('Promise.reject(new Error("late"))'),
  'is thenable and rejects': () => ({
    // biome-ignore lint/suspicious/noThenProperty: what a store of the app's own may answer.
    then: (_resolve: unknown, reject: (reason: Error) => void) => reject(new Error('late')),
  }),
}

// Covers: K03
describe.each(Object.entries(failures))('work in the background that %s', (_how, fail) => {
  it('ends nothing, and says why', async () => {
    let note = (_reason: unknown): void => {}
    const failed = new Promise((resolve) => {
      note = resolve
    })
    inBackground(fail, note)
    expect(await failed).toMatchObject({ message: 'late' })
  })

  it.each(Object.entries(failures))('ends nothing where its report %s', async (_what, failAgain) => {
    inBackground(fail, failAgain)
    inBackground(fail)
    await new Promise((resolve) => setImmediate(resolve))
  })
})

it('begins at once', () => {
  const order: string[] = []
  inBackground(() => order.push('work'))
  order.push('after')
  expect(order).toEqual(['work', 'after'])
})
