import { metrics as api } from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { loadOpenTelemetry } from '../../lib/metrics/open-telemetry.js'
import { basic, startFront } from '../helpers/front.js'
import { recordedLog } from '../helpers/recorded-log.js'

function startSdk() {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
  const provider = new MeterProvider({ readers: [reader] })
  api.setGlobalMeterProvider(provider)
  onTestFinished(async () => {
    api.disable()
    await provider.shutdown()
  })
  return async () => {
    exporter.reset()
    await provider.forceFlush()
    const scopes = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics)
    const found = scopes.filter(({ scope }) => scope.name === 'sallyport').flatMap(({ metrics }) => metrics)
    return new Map(found.map(({ descriptor, dataPoints }) => [descriptor.name, { ...descriptor, dataPoints }]))
  }
}

describe('OpenTelemetry', () => {
  it('gets the instruments of the meter sallyport, until the front is closed', async () => {
    const read = startSdk()
    const front = await startFront()
    await front.login()
    await front.call('GET', '/login', [basic('admin', 'wrong')])
    const found = await read()
    expect(found.get('sallyport.logins')).toMatchObject({
      unit: '{login}',
      dataPoints: [
        { attributes: { outcome: 'success', kind: 'management' }, value: 1 },
        { attributes: { outcome: 'wrong-password', kind: 'management' }, value: 1 },
      ],
    })
    const management = { attributes: { kind: 'management' }, value: 1 }
    expect(found.get('sallyport.tokens')!.dataPoints).toContainEqual(expect.objectContaining(management))
    await front.security.close()
    // The store is empty by now, and nobody looks at it any more.
    expect((await read()).get('sallyport.tokens')!.dataPoints).toContainEqual(expect.objectContaining(management))
  })

  it('is not asked for where the package is not there', async () => {
    vi.doMock('@opentelemetry/api', () => {
      throw Object.assign(new Error("Cannot find package '@opentelemetry/api'"), { code: 'ERR_MODULE_NOT_FOUND' })
    })
    onTestFinished(() => vi.doUnmock('@opentelemetry/api'))
    const log = recordedLog()
    expect(await loadOpenTelemetry(log.logger)).toBeUndefined()
  })
})
