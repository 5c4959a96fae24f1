/**
 * Turns the results into Markdown tables and a bar chart.
 *
 * @module
 */

import { targetRows } from './targets.mjs'

const howToRead =
  'Each row is a median of windows that alternate, in random order, with windows of its base, and "from - to" are the smallest and the' +
  ' largest of them. The base is "Express, no guard, app.listen" (1.00), or what the row is compared with. Only ratios tell' +
  ' something: the rows were measured one after the other, and the machine was not the same all the time, which the requests per second' +
  ' of the base in the same windows show. The ratio by processor time is disturbed less by other programs.'

const whatIsMeasured =
  '200 RS256 tokens of as many callers come in turn on 32 connections, as through a proxy, unless a row says otherwise, and the front' +
  ' looks at 100 000 networks. Its answers say `Cache-Control: no-store` and have no ETag, as they do by default; "with ETags" they have' +
  ' them, as those without a guard have. "By hand": four middlewares, each mounted by itself. "A grown heap": both servers with' +
  ' `--min-semi-space-size=16`, as V8 gives it by itself to a process that has kept much once.'

const howToReadPauses =
  'The token store by number of live tokens. "Issuing": the longest turn of the event loop while tokens are signed (EdDSA) and kept as fast' +
  ' as it goes, and the garbage collections in it. To compare it with: "nothing kept", the same logins into a store that forgets' +
  ' each token at once, and "adding", records alone without logins.'

/**
 * @param {import('./run.mjs').Results} results
 * @returns {string} Markdown
 */
export function markdownReport(results) {
  const { machine, isQuick, rows, pairs, pieces, flood, tokenStore, chartName } = results
  const command = isQuick ? 'npm run bench -- quick' : 'npm run bench'
  const parts = [
    `# ${machine.title}`,
    `Measured with \`${command}\` on ${machine.date}: ${machine.node}, ${machine.cpu}, ${machine.pinning}.`,
    ...(isQuick ? ['Two short windows each, which is a rough idea only, and nothing of the token store.'] : []),
    howToRead,
    whatIsMeasured,
    ...(isQuick ? [] : [`![requests per second, as ratios](${chartName})`]),
    table(
      ['server', 'ratio', 'from - to', 'by CPU time', 'req/s', 'of the base'],
      [...rows].sort(byRatio).map((row) => [bold(row), ...ratioCells(row), rounded(row.rate), rounded(row.baseRate)]),
    ),
    table(['server', 'against', '', 'ratio', 'from - to', 'by CPU time'], pairs.map(pairRow)),
    table(['piece', 'measured'], pieces.map(pieceRow)),
    floodText(flood),
    ...(tokenStore === undefined ? [] : [howToReadPauses, table(tokenStore[0], tokenStore.slice(1))]),
    'What we want to reach, and whether this run did:',
    table(['', 'target', 'measured', 'reached'], targetRows(results)),
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

function pairRow(row) {
  return [row.contender.name, row.against.name, row.note, ...ratioCells(row)]
}

function ratioCells({ ratio, spread: [from, to], cpuRatio }) {
  return [times(ratio), `${times(from)} - ${times(to)}`, times(cpuRatio)]
}

function times(ratio) {
  return ratio.toFixed(2)
}

function pieceRow({ piece, value, unit }) {
  return [piece, `${value < 10 ? value.toFixed(2) : Math.round(value)} ${unit}`]
}

function floodText({ p50, p99, longest, calls, refused, logins }) {
  const answers = Object.entries(logins).map(([status, count]) => `${count} with ${status}`)
  return (
    `While 500 wrong logins a second arrive (answered: ${answers.join(', ')}), ${calls} authenticated calls take` +
    ` ${p50.toFixed(1)} ms in the middle, ${p99.toFixed(1)} ms at the 99th percentile and` +
    ` ${longest.toFixed(1)} ms at most; ${refused} are refused.`
  )
}

/** A Markdown table. */
export function table(head, rows) {
  const lines = [head, head.map(() => '---'), ...rows]
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
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
  const sorted = [...rows].sort(byRatio)
  const scale = barWidth / sorted[0].ratio
  const height = top + sorted.length * lineHeight + 12
  const bars = sorted.map(({ name, kind, ratio }, index) => {
    const y = top + index * lineHeight
    const weight = kind === 'us' ? ' font-weight="bold"' : ''
    return [
      `<text x="${labelWidth - 8}" y="${y + 14}" text-anchor="end"${weight}>${escapeXml(name)}</text>`,
      `<rect x="${labelWidth}" y="${y}" width="${(ratio * scale).toFixed(1)}" height="18" rx="3" fill="${colors[kind]}"/>`,
      `<text x="${(labelWidth + ratio * scale + 6).toFixed(1)}" y="${y + 14}"${weight}>${times(ratio)}</text>`,
    ].join('\n')
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${labelWidth + barWidth + 60} ${height}" role="img">
<title>Requests per second as a ratio to unguarded Express</title>
<style>text { font: 13px system-ui, sans-serif; fill: #57606a } @media (prefers-color-scheme: dark) { text { fill: #c9d1d9 } }</style>
<text x="12" y="22" font-weight="bold">Requests per second, unguarded Express with app.listen = 1</text>
<text x="12" y="40">${escapeXml(`${machine.node}, ${machine.date}`)}</text>
${bars.join('\n')}
</svg>
`
}

function escapeXml(text) {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
}
