/**
 * Paired windows: contender and base in turn, in random order, so that what else the machine does affects both.
 *
 * @module
 */

import { startServer } from './server-process.mjs'

/**
 * Measures one contender against a base.
 *
 * @param {{ processes: number, windows: number, windowMs: number, warmUpRequests: number, node: string }} options `processes`:
 * how often both servers are started anew; `windows`: pairs of windows each time.
 * @returns medians: `ratio` of requests per second; `cpuRatio`: processor time of a request of the base / of the contender,
 * which other programs on the machine disturb less; `added`: microseconds of processor time that the contender takes more;
 * `rate` and `baseRate`: requests per second; `spread`: the quartiles of `cpuRatio`; `lookUps`: of contender and base
 */
export async function compare(contender, base, options) {
  const pairs = []
  const lookUps = []
  for (let count = 0; count < options.processes; count++) {
    const servers = [await startServer(contender, options), await startServer(base, options)]
    lookUps.push(servers.map(({ lookUp }) => lookUp))
    for (let pair = 0; pair < options.windows; pair++) {
      pairs.push(await inRandomOrder(servers, (server) => server.window(options.windowMs)))
    }
    await Promise.all(servers.map((server) => server.stop()))
  }
  const cpuRatios = pairs.map(([ours, theirs]) => theirs.microseconds / ours.microseconds)
  return {
    ratio: median(pairs.map(([ours, theirs]) => ours.rate / theirs.rate)),
    cpuRatio: median(cpuRatios),
    spread: [quantile(cpuRatios, 0.25), quantile(cpuRatios, 0.75)],
    added: median(pairs.map(([ours, theirs]) => ours.microseconds - theirs.microseconds)),
    rate: median(pairs.map(([ours]) => ours.rate)),
    baseRate: median(pairs.map(([, theirs]) => theirs.rate)),
    lookUps: [0, 1].map((side) => median(lookUps.map((both) => both[side]))),
  }
}

/** One result for each of the two, in their order, measured in a random one. */
async function inRandomOrder([first, second], measure) {
  if (Math.random() < 0.5) return [await measure(first), await measure(second)]
  const late = await measure(second)
  return [await measure(first), late]
}

function median(values) {
  return quantile(values, 0.5)
}

function quantile(values, share) {
  return values.toSorted((left, right) => left - right)[Math.floor(share * (values.length - 1))]
}
