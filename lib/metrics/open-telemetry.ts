/**
 * The same instruments as those of OpenTelemetry's meter `sallyport`, where the app has `@opentelemetry/api`.
 *
 * @module
 */

import type * as Api from '@opentelemetry/api'
import type { Logger } from '../core/logger.js'
import { durationBounds, Histogram, type Instrument } from './instruments.js'

/** Loads the package; `undefined` where it is not there. Without an SDK that has been started before, its meter does nothing. */
export async function loadOpenTelemetry(logger: Logger): Promise<typeof Api | undefined> {
  try {
    return await import('@opentelemetry/api')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND')
      logger.warn({ cause }, 'there are no metrics for OpenTelemetry: @opentelemetry/api cannot be loaded')
    return undefined
  }
}

/** Makes the instruments. Returns the function that ends them. */
export function exportInstruments({ metrics }: typeof Api, instruments: readonly Instrument[]): () => void {
  const meter = metrics.getMeter('sallyport')
  const ends = instruments.map((instrument) => exportInstrument(meter, instrument))
  return () => {
    for (const end of ends) end()
  }
}

function exportInstrument(meter: Api.Meter, instrument: Instrument): () => void {
  const { name, help: description, unit } = instrument.definition
  if (instrument instanceof Histogram) {
    const advice = { explicitBucketBoundaries: [...durationBounds] }
    const histogram = meter.createHistogram(name, { description, unit, advice })
    instrument.onRecord = (seconds, labels) => histogram.record(seconds, labels)
    return () => {
      instrument.onRecord = undefined
    }
  }
  const observable =
    instrument.type === 'counter'
      ? meter.createObservableCounter(name, { description, unit })
      : meter.createObservableGauge(name, { description, unit })
  const observe = async (result: Api.ObservableResult): Promise<void> => {
    for (const { labels, value } of await instrument.points()) result.observe(value, labels)
  }
  observable.addCallback(observe)
  return () => observable.removeCallback(observe)
}
