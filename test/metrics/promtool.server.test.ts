import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { basic, document, startFront } from '../helpers/front.js'
import { folderWith, keyPair, pemOfKey } from '../helpers/key-files.js'
import { startRedis } from '../helpers/redis.js'

describe('promtool', () => {
  it('finds nothing to say of the text, with a store over a network', async () => {
    const redis = await startRedis()
    onTestFinished(() => redis.stop())
    const home = folderWith({ 'key.pem': pemOfKey(keyPair().key) })
    const front = await startFront(undefined, {
      source: document({
        jwt: { token_config: { algorithm: 'ES256', key_file: 'key.pem' } },
        root: { shared_store: { type: 'redis', url: redis.url } },
      }),
      options: { home },
    })
    await front.login()
    await front.call('GET', '/login', [basic('admin', 'wrong')])
    await front.call('GET', '/whoami')
    const text = await front.security.metrics()
    expect(text).toContain('sallyport_store_query_duration_seconds_bucket{store="shared",outcome="success",le="+Inf"}')
    expect(text).toMatch(/sallyport_shared_store_lease_age_seconds 0\.\d+/)
    expect(text).toContain('sallyport_tokens{kind="management"} 1')
    expect(execFileSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })).toBe('')
  })

  it('accepts the alert rules and the scrape configuration of docs/metrics.md', async () => {
    const page = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8')
    const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => text)
    const path = folderWith()
    const [scrape, rules] = [join(path, 'prometheus.yml'), join(path, 'rules.yml')]
    await writeFile(scrape, blocks.find((text) => text.includes('scrape_configs'))!)
    await writeFile(rules, blocks.find((text) => text.includes('alert:'))!)
    expect(execFileSync('promtool', ['check', 'rules', rules], { encoding: 'utf8' })).toContain('SUCCESS')
    expect(execFileSync('promtool', ['check', 'config', '--syntax-only', scrape], { encoding: 'utf8' })).toContain(
      'SUCCESS',
    )
  })
})
