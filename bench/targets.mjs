/**
 * What we want to reach, beside what a run has measured.
 *
 * @module
 */

/** Rows of a table: what, the target, what was measured, and whether it was reached. */
export function targetRows({ machine, rows, pairs, pieces, flood, tokenStore }) {
  return [
    ...ratioTargets(machine, rows, pairs),
    ...pieces.filter(({ limit, floor }) => limit ?? floor).map(pieceTarget),
    atMost('99th percentile of authenticated calls while 500 wrong logins a second arrive', 50, flood.p99, 'ms'),
    atMost('authenticated calls that are refused meanwhile', 0, flood.refused),
    ...(tokenStore === undefined ? [] : storeTargets(tokenStore)),
  ]
}

function ratioTargets(machine, rows, pairs) {
  const ours = rows.find(({ kind, how }) => kind === 'us' && how === 'create')
  // With `--only` there may be none.
  if (ours === undefined) return []
  const peers = rows.filter(({ kind }) => kind === 'peer')
  const best = Math.max(...peers.map(({ ratio }) => ratio))
  const onSame = (how) =>
    pairs.filter(
      ({ contender, against, flags }) =>
        contender.file === 'sallyport' && contender.how === how && against.how === how && flags === undefined,
    )
  return [
    // Express has become quicker by itself there.
    atLeast('guarded on createServer / unguarded under app.listen', Number(machine.major) >= 24 ? 1.1 : 3, ours.ratio),
    ...onSame('create').map(({ note, ratio }) => atLeast(`both on createServer${note && `, ${note}`}`, 0.93, ratio)),
    ...onSame('listen').map(({ ratio }) => atLeast('both under app.listen', 0.93, ratio)),
    ...(peers.length === 0 ? [] : [['every other package', 'behind us', best.toFixed(2), mark(best < ours.ratio)]]),
  ]
}

function pieceTarget({ piece, value, unit, limit, floor }) {
  return limit === undefined ? atLeast(piece, floor, value, unit) : atMost(piece, limit, value, unit)
}

/** By number of live tokens. */
const findLimits = new Map([
  [200, 200],
  [10_000, 300],
  [1_000_000, 1500],
])
const pauseLimits = new Map([
  [100_000, 3],
  [1_000_000, 10],
])

function storeTargets([names, ...rows]) {
  const cell = (row, start) => Number(row[names.findIndex((name) => name.startsWith(start))])
  return rows.flatMap((row) => {
    const tokens = cell(row, 'tokens')
    const find = findLimits.get(tokens)
    const pause = pauseLimits.get(tokens)
    return [
      ...(find === undefined ? [] : [atMost(`find among ${tokens} tokens`, find, cell(row, 'find'), 'ns')]),
      ...(tokens === 1_000_000 ? [atMost(`bytes a token at ${tokens}`, 350, cell(row, 'bytes'))] : []),
      ...(pause === undefined
        ? []
        : [
            atMost(`longest pause while ${tokens} tokens are issued`, pause, cell(row, 'issuing'), 'ms'),
            atMost(`longest pause while ${tokens} tokens expire`, pause, cell(row, 'expiring'), 'ms'),
          ]),
    ]
  })
}

function atMost(what, limit, value, unit = '') {
  return [what, `<= ${limit} ${unit}`.trim(), `${shown(value)} ${unit}`.trim(), mark(Number(shown(value)) <= limit)]
}

function atLeast(what, floor, value, unit = '') {
  return [what, `>= ${floor} ${unit}`.trim(), `${shown(value)} ${unit}`.trim(), mark(Number(shown(value)) >= floor)]
}

function mark(isReached) {
  return isReached ? 'yes' : '**no**'
}

/** With so many digits that it can be compared with the target. */
function shown(value) {
  return String(Number(value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)))
}
