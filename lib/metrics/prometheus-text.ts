/**
 * The text that Prometheus reads (exposition format 0.0.4).
 *
 * Written here because the format is three kinds of lines, and `prom-client` would be a second registry beside the one that the plots and
 * OpenTelemetry read: it has no closed sets of label values, and brings packages of its own.
 *
 * @module
 */

import { durationBounds, Histogram, type Instrument, prometheusName, total } from './instruments.js'

export const prometheusType = 'text/plain; version=0.0.4'

type Labels = Readonly<Record<string, string>>

export async function prometheusText(instruments: readonly Instrument[]): Promise<string> {
  const blocks = await Promise.all(instruments.map(blockFrom))
  return blocks.join('')
}

async function blockFrom(instrument: Instrument): Promise<string> {
  const { definition, type } = instrument
  const name = prometheusName(definition, type)
  const lines = instrument instanceof Histogram ? bucketLines(name, instrument) : await valueLines(name, instrument)
  return [`# HELP ${name} ${escapeHelp(definition.help)}`, `# TYPE ${name} ${type}`, ...lines, ''].join('\n')
}

async function valueLines(name: string, instrument: Exclude<Instrument, Histogram>): Promise<readonly string[]> {
  return (await instrument.points()).map(({ labels, value }) => line(name, labels, value))
}

function bucketLines(name: string, histogram: Histogram): readonly string[] {
  return histogram.distributions().flatMap(({ labels, value: { counts, sum } }) => {
    let below = 0
    const buckets = durationBounds.map((bound, index) => {
      below += counts[index]!
      return line(`${name}_bucket`, { ...labels, le: String(bound) }, below)
    })
    const all = total(counts)
    const ends = [line(`${name}_bucket`, { ...labels, le: '+Inf' }, all), line(`${name}_sum`, labels, sum)]
    return [...buckets, ...ends, line(`${name}_count`, labels, all)]
  })
}

function line(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeValue(text)}"`)
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

function escapeValue(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"')
}
