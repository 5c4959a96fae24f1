/**
 * Throws random and nearly right inputs at the parsers and at a running front: `npm run fuzz -- --inputs 200000 --seed 7`.
 *
 * An input may be refused; it may not crash, hang, give a 5xx or pass without a good credential. The seed is printed, and
 * the same seed gives the same inputs.
 *
 * @module
 */

import { parseArgs } from 'node:util'
import { startFuzzedFront } from './front.js'
import { type Parser, parsers } from './parsers.js'
import { mutated, Random, randomText } from './random.js'

const { values } = parseArgs({
  options: { inputs: { type: 'string', default: '1000000' }, seed: { type: 'string' } },
})
const inputs = Number(values.inputs)
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(values.seed)
if (!Number.isSafeInteger(inputs) || inputs < 1 || !Number.isSafeInteger(seed)) {
  throw new TypeError('--inputs and --seed must be whole numbers')
}

/** One input in so many is a request to the front; the others are texts for the parsers. */
const requestShare = 10

/** Requests under way at the same time. */
const width = 64

/** A text that takes a parser longer than this is a hang, or the way to one. */
const slowMs = 2000

console.log(`fuzzing ${inputs} inputs, seed ${seed}`)
process.on('uncaughtException', (error) => fail('an exception that nobody caught', error))
process.on('unhandledRejection', (error) => fail('a rejection that nobody handled', error))

const counts = new Map<string, number>()
const random = new Random(seed)
const chosen = parsers.flatMap((parser) => Array.from({ length: parser.weight }, () => parser))
const requests = Math.floor(inputs / requestShare)

await fuzzParsers(inputs - requests)
await fuzzFront(requests)
for (const [name, count] of counts) console.log(`${String(count).padStart(8)} ${name}`)
console.log('nothing found')

async function fuzzParsers(count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const parser = random.oneOf(chosen)
    const text = random.oneIn(4) ? randomText(random) : mutated(random, random.oneOf(parser.examples))
    note(parser.name)
    const begun = performance.now()
    try {
      const result = parser.run(text)
      if (result instanceof Promise) await result
    } catch (error) {
      fail(inputOf(parser, text), error)
    }
    if (performance.now() - begun > slowMs) fail(inputOf(parser, text), new Error(`took more than ${slowMs} ms`))
  }
}

/** Each request has a generator of its own, so that the order of the answers changes no input. */
async function fuzzFront(count: number): Promise<void> {
  const front = await startFuzzedFront()
  let next = 0
  const work = async (): Promise<void> => {
    while (next < count) {
      const own = new Random(random.below(2 ** 32))
      next++
      note('requests to the front')
      await front.run(own).catch((error: unknown) => fail('a request', error))
    }
  }
  await Promise.all(Array.from({ length: width }, work))
  await front.close()
}

function inputOf({ name }: Parser, text: string): string {
  return `${name} with ${JSON.stringify(text)}`
}

function note(name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}

function fail(what: string, error: unknown): never {
  console.error(`FOUND by --seed ${seed}: ${what}`)
  console.error(error)
  process.exit(1)
}
