/**
 * Turns the results into Markdown tables and a bar chart.
 *
 * @module
 */

const howToRead =
  'Each row holds medians of windows that alternate, in random order, with windows of its base: "Express, no guard, app.listen", or what' +
  ' the row names. "Ratio" is requests per second, "by CPU time" is processor time of the base for a request / that of the row, which other' +
  ' programs disturb less, with its quartiles; "added" is what a request takes more. Rows were measured one after the other on a machine' +
  ' that was not the same all the time: compare ratios, not requests per second.'

const whatIsMeasured =
  '200 RS256 tokens of as many callers come in turn on 32 connections, as through a proxy, unless a row says otherwise, and the front' +
  ' looks at 100 000 networks.'

/**
 * @param {import('./run.mjs').Results} results
 * @returns {string} Markdown
 */
export function markdownReport({ machine, isQuick, rows, pairs, pieces, flood, tokenStore, chartName }) {
  const parts = [
    `# ${machine.title}`,
    `Measured with \`npm run bench${isQuick ? ' -- quick' : ''}\` on ${machine.date}: ${machine.node}, ${machine.cpu}, ${machine.pinning}.`,
    ...(isQuick ? ['Two short windows each, which is a rough idea only, and nothing of the token store.'] : []),
    howToRead,
    whatIsMeasured,
    ...(isQuick ? [] : [`![requests per second, as ratios](${chartName})`]),
    table(
      ['server', 'ratio', 'by CPU time', 'quartiles', 'added, us', 'req/s', 'of the base'],
      rows.toSorted(byRatio).map((row) => [bold(row), ...cells(row), rounded(row.rate), rounded(row.baseRate)]),
    ),
    table(
      ['server', 'against', 'ratio', 'by CPU time', 'quartiles', 'added, us'],
      pairs.map((row) => [row.name, row.against, ...cells(row)]),
    ),
    table(['piece', 'measured'], pieces),
    floodText(flood),
    ...(tokenStore === undefined ? [] : ['The token store by number of live tokens:', storeTable(tokenStore)]),
    'What is to be reached, and whether this run did:',
    table(['', 'target', 'measured', 'reached'], targets({ rows, pairs, flood, tokenStore })),
  ]
  return `${parts.join('\n\n')}\n`
}

function byRatio(left, right) {
  return right.ratio - left.ratio
}

function bold({ name, kind }) {
  return kind === 'us' ? `**${name}**` : name
}

function rounded(rate) {
  return String(Math.round(rate / 100) * 100)
}

function cells({ ratio, cpuRatio, spread: [from, to], added }) {
  return [ratio.toFixed(2), cpuRatio.toFixed(2), `${from.toFixed(2)} - ${to.toFixed(2)}`, added.toFixed(1)]
}

function storeTable(rows) {
  return table(Object.keys(rows[0]), rows.map(Object.values))
}

function floodText({ p50, p99, longest, calls, refused, logins }) {
  const answers = Object.entries(logins).map(([status, count]) => `${count} with ${status}`)
  return (
    `While 500 wrong logins a second arrive (answered: ${answers.join(', ')}), ${calls} authenticated calls take` +
    ` ${p50.toFixed(1)} ms in the middle, ${p99.toFixed(1)} ms at the 99th percentile and` +
    ` ${longest.toFixed(1)} ms at most; ${refused} are refused.`
  )
}

function targets({ rows, pairs, flood, tokenStore = [] }) {
  const us = rows.find(({ kind }) => kind === 'us')
  const peers = rows.filter(({ kind }) => kind === 'peer').map(({ ratio }) => ratio)
  const ofStore = (tokens) => tokenStore.find((row) => row.tokens === tokens)
  return [
    ...pairs
      .filter(({ floor }) => floor)
      .map(({ name, against, floor, cpuRatio }) => atLeast(`${name} / ${against}, by CPU time`, floor, cpuRatio)),
    ...(us && peers.length > 0
      ? [atLeast('the same / the quickest other package', 1, us.ratio / Math.max(...peers))]
      : []),
    atMost('99th percentile of authenticated calls while 500 wrong logins a second arrive, ms', 50, flood.p99),
    atMost('authenticated calls that are refused meanwhile', 0, flood.refused),
    ...(ofStore(100_000)
      ? [
          atMost('find among 100 000 tokens, ns', 600, ofStore(100_000)['find, ns']),
          atMost('longest turn while 100 000 tokens are issued, ms', 20, ofStore(100_000)['issuing: longest turn, ms']),
          atMost('longest turn while 100 000 tokens expire, ms', 20, ofStore(100_000)['expiring: longest turn, ms']),
        ]
      : []),
  ]
}

function atMost(what, limit, value) {
  return [what, `<= ${limit}`, shown(value), value <= limit ? 'yes' : '**no**']
}

function atLeast(what, floor, value) {
  return [what, `>= ${floor}`, shown(value), value >= floor ? 'yes' : '**no**']
}

function shown(value) {
  return String(Number(value.toFixed(2)))
}

/** A Markdown table. */
export function table(head, rows) {
  const lines = [head, head.map(() => '---'), ...rows]
  return lines.map((line) => `| ${line.join(' | ')} |`).join('\n')
}

const colors = { us: '#1a7f37', peer: '#8c959f', unguarded: '#54aeff' }
const [labelWidth, barWidth, lineHeight, top] = [300, 380, 26, 56]

/**
 * A horizontal bar for each row, longest first. The colours and the text are readable on light and dark pages.
 *
 * @param {import('./run.mjs').Results} results
 * @returns {string} SVG
 */
export function barChart({ machine, rows }) {
  const sorted = rows.toSorted(byRatio)
  const scale = barWidth / sorted[0].ratio
  const height = top + sorted.length * lineHeight + 12
  const bars = sorted.map(({ name, kind, ratio }, index) => {
    const y = top + index * lineHeight
    const weight = kind === 'us' ? ' font-weight="bold"' : ''
    return [
      `<text x="${labelWidth - 8}" y="${y + 14}" text-anchor="end"${weight}>${name}</text>`,
      `<rect x="${labelWidth}" y="${y}" width="${(ratio * scale).toFixed(1)}" height="18" rx="3" fill="${colors[kind]}"/>`,
      `<text x="${(labelWidth + ratio * scale + 6).toFixed(1)}" y="${y + 14}"${weight}>${ratio.toFixed(2)}</text>`,
    ].join('\n')
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${labelWidth + barWidth + 60} ${height}" role="img">
<title>Requests per second as a ratio to unguarded Express</title>
<style>text { font: 13px system-ui, sans-serif; fill: #57606a } @media (prefers-color-scheme: dark) { text { fill: #c9d1d9 } }</style>
<text x="12" y="22" font-weight="bold">Requests per second, unguarded Express with app.listen = 1</text>
<text x="12" y="40">${machine.node}, ${machine.date}</text>
${bars.join('\n')}
</svg>
`
}
