/**
 * Turns the results into Markdown tables and a bar chart.
 *
 * @module
 */

const howToRead =
  'Each row is a median of windows that alternate, in random order, with windows of the base in the same run: of "Express, no' +
  ' guard, app.listen" (1.00), or of what a pair is compared with. The ratio counts, and the same by processor time, which other' +
  ' programs disturb less: where the two differ, the machine was busy. Absolute figures are those of this machine. "By hand": four' +
  ' middlewares, each mounted by itself. "A grown heap": both servers with `--min-semi-space-size=16`, as V8 gives it by itself to a' +
  ' process that has kept much once. "With ETags": answers behind the front say `no-store`, and Express makes no weak ETag for those;' +
  ' here it makes strong ones, which cost the same.'

const howToReadPauses =
  'The token store by number of live tokens. "Issuing": the longest turn of the event loop while tokens are signed (EdDSA) and kept as fast' +
  ' as it goes, and the longest garbage collection in it; "nothing kept": the same logins into a store that forgets each token at once, so' +
  ' that the difference is what the store costs; "adding": records alone, without logins.'

/**
 * @param {import('./run.mjs').Results} results
 * @returns {string} Markdown
 */
export function markdownReport({ machine, rows, pairs, pieces, flood, tokenStore, chartName }) {
  const parts = [
    `# ${machine.title}`,
    `Measured with \`npm run bench\` on ${machine.date}: ${machine.node}, ${machine.cpu}, ${machine.pinning}.`,
    howToRead,
    `![requests per second, as ratios](${chartName})`,
    table(
      ['server', 'ratio', 'from - to', 'by CPU time', 'req/s', 'CPU us/request'],
      [...rows].sort(byRatio).map(serverRow),
    ),
    table(['pair', 'ratio', 'from - to', 'by CPU time'], pairs.map(pairRow)),
    table(['piece', 'measured', 'target'], pieces.map(pieceRow)),
    ...(flood === undefined ? [] : [floodText(flood)]),
    ...(tokenStore === undefined ? [] : [howToReadPauses, tokenStore]),
  ]
  return `${parts.join('\n\n')}\n`
}

function byRatio(left, right) {
  return right.ratio - left.ratio
}

function serverRow(row) {
  const label = row.kind === 'us' ? `**${row.name}**` : row.name
  const rate = String(Math.round(row.rate / 100) * 100)
  return [label, ...ratioCells(row), rate, row.microseconds.toFixed(0)]
}

function pairRow(row) {
  return [row.name, ...ratioCells(row)]
}

function ratioCells({ ratio, spread: [from, to], cpuRatio }) {
  return [times(ratio), `${times(from)} - ${times(to)}`, times(cpuRatio)]
}

function times(ratio) {
  return ratio.toFixed(2)
}

function pieceRow({ piece, value, unit, limit, floor }) {
  const target = limit === undefined ? (floor === undefined ? '' : `>= ${floor}`) : `<= ${limit} ${unit}`
  return [piece, `${value < 10 ? value.toFixed(2) : Math.round(value)} ${unit}`, target]
}

function floodText({ p50, p99, longest, calls, refused, logins }) {
  const answers = Object.entries(logins).map(([status, count]) => `${count} with ${status}`)
  return (
    `While 500 wrong logins a second arrive (answered: ${answers.join(', ')}), ${calls} authenticated calls take` +
    ` ${p50.toFixed(1)} ms in the middle, ${p99.toFixed(1)} ms at the 99th percentile (target: 50) and` +
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
