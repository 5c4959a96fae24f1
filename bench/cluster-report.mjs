/**
 * Turns the results of the cluster benchmark into Markdown.
 *
 * @module
 */

import { table } from './report.mjs'

const howToRead =
  'Redis, the processes and their clients share the machine, so that processor time counts here, and not requests a second. That of' +
  ' Redis is its own count of it (`INFO`), 16 operations under way at a time, without what it uses while the processes are idle. "Sent" are the commands of a process' +
  ' (`MONITOR`), "executed" those that Redis counts (`INFO commandstats`), with those within scripts. A token is known to a process' +
  ' that has seen it once.'

const lagText =
  'Each token is known to all processes, and is sent to all but the first one again and again, one request at a time, until it is' +
  ' refused. The first one is sent its logout. The lag is the time from the answer to the logout to the last request that was admitted' +
  ' anywhere, by when that was sent; below zero: before the answer.'

/** What a single core can give to one kind of operation before queues grow. */
const share = 0.5

export function clusterReport({ machine, tokenCount, rounds, bytes, rows, knownCount, heap, tracked, pair }) {
  const most = rows.at(-1)
  const perSecond = (cpu) => ((share * 1e6) / cpu).toFixed(0)
  const parts = [
    '# Several processes over one Redis',
    `Measured with \`npm run bench:cluster\` on ${machine.date}: ${machine.text}, with ${tokenCount} live tokens in Redis; load average of the machine before it: ${machine.load.toFixed(1)}.`,
    howToRead,
    table(
      ['', 'sent', 'executed', ...rows.map(({ processes }) => `CPU of Redis, us: ${processesText(processes)}`)],
      [
        ['request, token known', ...operation(rows, 'warm')],
        ['request, token not known', ...operation(rows, 'cold')],
        ['login', ...operation(rows, 'login')],
        ['logout, token known to all', ...operation(rows, 'logout')],
        [
          'a second of an idle process',
          '4',
          most.idleCommands.toFixed(0),
          ...rows.map(({ heartbeat }) => heartbeat.toFixed(0)),
        ],
      ],
    ),
    `With ${share * 100} % of a core for each alone, this Redis has time for ${perSecond(most.login.cpu)} logins a second, or ${perSecond(most.logout.cpu)} logouts, or ${perSecond(most.cold.cpu)} first requests, or ${perSecond(most.heartbeat)} processes.`,
    `How late a logout is, ${rounds} logouts each:`,
    lagText,
    table(
      ['processes', 'p50, ms', 'p99, ms', 'max, ms'],
      rows
        .filter(({ lags }) => lags)
        .map(({ processes, lags }) => [processes, ...[0.5, 0.99, 1].map((part) => quantile(lags, part).toFixed(1))]),
    ),
    table(
      ['memory', 'bytes a token'],
      [
        [`in Redis, ${tokenCount} tokens`, bytes.toFixed(0)],
        [`in Redis besides, for each process that knows it`, tracked.toFixed(0)],
        [`in a process that knows ${knownCount}`, heap.toFixed(0)],
      ],
    ),
    table(
      ['CPU of a process, request with a known token', 'us'],
      rows.map(({ processes, app }) => [processesText(processes), app.toFixed(1)]),
    ),
    `Against the same app with its tokens in memory, in paired windows: ${(1 / pair.cpuRatio).toFixed(3)} times the processor time (quartiles ${pair.spread
      .map((ratio) => (1 / ratio).toFixed(3))
      .reverse()
      .join(' to ')}), ${pair.added.toFixed(1)} us more.`,
  ]
  return `${parts.join('\n\n')}\n`
}

function operation(rows, name) {
  const { sent, [name]: last } = rows.at(-1)
  return [
    sent[name].toFixed(0),
    Math.abs(last.commands).toFixed(1),
    ...rows.map((row) => Math.max(0, row[name].cpu).toFixed(0)),
  ]
}

function processesText(count) {
  return count === 1 ? '1 process' : `${count} processes`
}

function quantile(sorted, share) {
  return sorted[Math.floor(share * (sorted.length - 1))]
}
