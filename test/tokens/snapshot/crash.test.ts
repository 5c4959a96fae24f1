import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createRecord } from '../../../lib/testing/contract-stage.js'
import { MortalFiles } from './mortal-files.js'
import { newSnapshotFile, type SnapshotStage, startSnapshot } from './stage.js'

const intervalMs = 3_600_000
const now = Date.UTC(2026, 0, 1)
const clock = (): number => now

/** Snapshots are written when a test says so. */
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

type Step =
  | { readonly kind: 'add' | 'remove' | 'touch' | 'grant' | 'refresh' | 'use' | 'endGrant'; readonly name: number }
  | { readonly kind: 'revokeUser' | 'snapshot' | 'wait' | 'untilDone' | 'endMembers'; readonly name: number }

const steps: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(
    ...(['add', 'add', 'remove', 'touch', 'revokeUser', 'grant', 'refresh', 'use', 'endGrant', 'endMembers'] as const),
    ...(['snapshot', 'snapshot', 'wait', 'wait', 'wait', 'wait'] as const),
  ),
  name: fc.nat(5),
})

/** Something to end. */
const prelude: readonly Step[] = [
  { kind: 'grant', name: 0 },
  { kind: 'refresh', name: 0 },
  { kind: 'refresh', name: 2 },
]

const recordFor = (name: number) =>
  createRecord(`token ${name}`, {
    subject: `user ${name % 2}`,
    issuedAt: now,
    expiresAt: now + 60_000,
    lastAccessAt: now,
  })
const entryFor = (model: 'Grant' | 'RefreshToken', name: number) => ({
  model,
  id: `${model} ${name}`,
  subject: 'alice',
  payload: {},
  expiresAt: now + 60_000,
  grantId: model === 'Grant' ? undefined : `Grant ${name % 2}`,
})

/** What must be there after a restart: for each thing the states that it may be in. */
class Model {
  readonly #states = new Map<string, ReadonlySet<string>>()

  statesOf(thing: string): ReadonlySet<string> {
    return this.#states.get(thing) ?? new Set(['absent'])
  }

  /**
   * From now on it may be in `next`, and from the answer on in nothing else. Of two that overlap, neither decides, nor does one that answers
   * `false`: what it did not find may have been ended by a step that is not answered yet.
   */
  async change(things: readonly string[], next: (before: string) => string, work: () => unknown): Promise<void> {
    const asked = things.map((thing) => {
      const before = this.statesOf(thing)
      const after = new Set([...before].map(next))
      this.#states.set(thing, new Set([...before, ...after]))
      return { thing, after, during: this.#states.get(thing) }
    })
    if ((await work()) === false) return
    for (const { thing, after, during } of asked) {
      if (this.#states.get(thing) === during) this.#states.set(thing, after)
    }
  }
}

async function play(script: readonly Step[], stage: SnapshotStage, model: Model, files: MortalFiles): Promise<void> {
  const { tokens, oauth } = stage
  const all = [0, 1, 2, 3, 4, 5]
  const grantOf = (name: number): number => name % 2
  const membersOf = (grant: number): string[] =>
    all.filter((name) => grantOf(name) === grant).map((name) => `RefreshToken ${name}`)
  const absent = (): string => 'absent'
  const doStep = ({ kind, name }: Step): Promise<void> | undefined => {
    const grant = `Grant ${grantOf(name)}`
    switch (kind) {
      case 'add':
        return model.change(
          [`token ${name}`],
          () => 'present',
          () => tokens.add(recordFor(name)),
        )
      case 'remove':
        return model.change([`token ${name}`], absent, () => tokens.remove(recordFor(name).id))
      case 'touch':
        void tokens.touch(recordFor(name).id, now + 1)
        return undefined
      case 'revokeUser': {
        const owned = all.filter((other) => other % 2 === name % 2).map((other) => `token ${other}`)
        return model.change(owned, absent, () => tokens.removeBySubject(`user ${name % 2}`))
      }
      case 'grant':
        return model.change(
          [grant],
          () => 'present',
          () => oauth.put(entryFor('Grant', grantOf(name))),
        )
      case 'refresh': {
        // Without its grant it is left out.
        const isSure = model.statesOf(grant).size === 1 && model.statesOf(grant).has('present')
        return isSure
          ? model.change(
              [`RefreshToken ${name}`],
              () => 'present',
              () => oauth.put(entryFor('RefreshToken', name)),
            )
          : undefined
      }
      case 'use': {
        const next = (before: string): string => (before === 'present' ? 'used' : before)
        return model.change([`RefreshToken ${name}`], next, () => oauth.consume('RefreshToken', `RefreshToken ${name}`))
      }
      case 'endGrant':
        return model.change([grant, ...membersOf(grantOf(name))], absent, () => oauth.remove('Grant', grant))
      case 'endMembers':
        return model.change(membersOf(grantOf(name)), absent, () => oauth.removeMembers(grant))
      case 'snapshot':
        vi.advanceTimersByTime(intervalMs)
        return undefined
      case 'untilDone':
        return files.untilQuiet()
      case 'wait':
        return new Promise((resolve) => setImmediate(resolve))
    }
  }
  for (const step of script) {
    const done = doStep(step)
    // Every other one overlaps with what follows.
    if (step.name % 2 === 0 || step.kind === 'wait') await Promise.race([done, files.died])
  }
}

async function stateOf({ tokens, oauth }: SnapshotStage, thing: string): Promise<string> {
  const [kind, name] = thing.split(' ') as [string, string]
  if (kind === 'token') return (await tokens.find(recordFor(Number(name)).id)) === undefined ? 'absent' : 'present'
  const entry = await oauth.find(kind as 'Grant' | 'RefreshToken', thing)
  if (entry === undefined) return 'absent'
  return entry.consumedAt === undefined ? 'present' : 'used'
}

const things = ['token', 'RefreshToken'].flatMap((kind) => [0, 1, 2, 3, 4, 5].map((name) => `${kind} ${name}`))

/** What was issued may be lost with the power, what was ended may not be back. */
async function expectRestored(file: string, model: Model, isPowerCut = false): Promise<void> {
  const next = await startSnapshot({ file, clock, files: new MortalFiles() })
  const torn = 'the journal of the snapshot ends within a record, which is dropped'
  expect(next.log.entries.filter(({ message }) => message !== torn)).toEqual([])
  for (const thing of [...things, 'Grant 0', 'Grant 1']) {
    const states = isPowerCut ? new Set([...model.statesOf(thing), 'absent']) : model.statesOf(thing)
    expect(states, thing).toContain(await stateOf(next, thing))
  }
  await next.close()
}

describe('a process that is killed', () => {
  it.each([
    ['it is killed', false],
    ['the power fails', true],
  ])(
    'between any two operations on files while snapshots are replaced has all that it has answered, when %s',
    async (_name, isPowerCut) => {
      const snapshot: Step = { kind: 'snapshot', name: 0 }
      const untilDone: Step = { kind: 'untilDone', name: 0 }
      const script: readonly Step[] = [
        ...prelude,
        { kind: 'add', name: 0 },
        { kind: 'add', name: 2 },
        snapshot,
        { kind: 'remove', name: 0 },
        { kind: 'use', name: 0 },
        untilDone,
        snapshot,
        { kind: 'revokeUser', name: 0 },
        untilDone,
        snapshot,
        { kind: 'endGrant', name: 0 },
        untilDone,
      ]
      let files: MortalFiles
      for (let after = 11; ; after++) {
        const file = newSnapshotFile()
        files = new MortalFiles({ after })
        const model = new Model()
        const stage = await startSnapshot({ file, clock, files })
        await Promise.race([play(script, stage, model, files), files.died])
        const hasDied = files.isDead
        await expectRestored(await files.remains(file, isPowerCut), model, isPowerCut)
        if (!hasDied) break
      }
      // The first snapshot, and three after it.
      expect(files.operations.filter((name) => name === 'rename')).toHaveLength(4)
    },
  )

  it('has written what it has answered, wherever it is killed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(steps, { minLength: 5, maxLength: 40 }),
        fc.nat(60),
        fc.constantFrom(0, 0.3, 0.99),
        async (script, after, tears) => {
          const file = newSnapshotFile()
          const files = new MortalFiles({ after: after + 15, tears })
          const model = new Model()
          const stage = await startSnapshot({ file, clock, files })
          await Promise.race([play([...prelude, ...script], stage, model, files), files.died])
          await expectRestored(await files.remains(file), model)
        },
      ),
      { numRuns: 80 },
    )
  })
})
