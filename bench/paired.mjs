/**
 * Paired windows: contender and base in turn, in random order, so that whatever else the machine does hits both.
 *
 * @module
 */

import { startServer } from './server-process.mjs'

/**
 * Measures one contender against a base.
 *
 * @param {{ processes: number, windows: number, windowMs: number, warmUpRequests: number, node: string }} options `processes`:
 * how often both servers are started anew; `windows`: pairs of windows each time.
 * @returns medians: `ratio` of requests per second; `cpuRatio`: how often the contender answers in the processor time that
 * the base takes for one request, which other programs on the machine disturb less; `rate` and `baseRate`: requests per
 * second; `spread`: the smallest and the largest ratio
 */
export async function compare(contender, base, options) {
  const ratios = []
  const cpuRatios = []
  const rates = []
  const baseRates = []
  for (let count = 0; count < options.processes; count++) {
    const servers = [await startServer(contender, options), await startServer(base, options)]
    for (let pair = 0; pair < options.windows; pair++) {
      const [ours, theirs] = await inRandomOrder(servers, (server) => server.window(options.windowMs))
      ratios.push(ours.rate / theirs.rate)
      cpuRatios.push(theirs.microseconds / ours.microseconds)
      rates.push(ours.rate)
      baseRates.push(theirs.rate)
    }
    await Promise.all(servers.map((server) => server.stop()))
  }
  return {
    ratio: median(ratios),
    cpuRatio: median(cpuRatios),
    spread: [Math.min(...ratios), Math.max(...ratios)],
    rate: median(rates),
    baseRate: median(baseRates),
  }
}

/** One result for each of the two, in their order, measured in a random one. */
async function inRandomOrder([first, second], measure) {
  if (Math.random() < 0.5) return [await measure(first), await measure(second)]
  const late = await measure(second)
  return [await measure(first), late]
}

/** The middle of the values; of an even number of them, the mean of the two in the middle. */
export function median(values) {
  const sorted = values.toSorted((left, right) => left - right)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
