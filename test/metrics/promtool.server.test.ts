import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { basic, startFront } from '../helpers/front.js'
import { startRedis } from '../helpers/redis.js'

const folder = async (): Promise<string> => {
  const path = await mkdtemp(join(tmpdir(), 'sallyport-promtool-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

describe('promtool', () => {
  it('finds nothing to say of the text, with a store over a network', async () => {
    const redis = await startRedis()
    onTestFinished(() => redis.stop())
    const front = await startFront(undefined, {
      source: {
        management_api: { jwt_token_security_handler: { token_config: { algorithm: 'ES256' } } },
        internal_apis: { users: [{ user: { name: 'admin', password: 'Correct-horse-1', is_admin: true } }] },
        shared_store: { type: 'redis', url: redis.url },
      },
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
    const path = await folder()
    const [scrape, rules] = [join(path, 'prometheus.yml'), join(path, 'rules.yml')]
    await writeFile(scrape, blocks.find((text) => text.includes('scrape_configs'))!)
    await writeFile(rules, blocks.find((text) => text.includes('alert:'))!)
    expect(execFileSync('promtool', ['check', 'rules', rules], { encoding: 'utf8' })).toContain('SUCCESS')
    expect(execFileSync('promtool', ['check', 'config', '--syntax-only', scrape], { encoding: 'utf8' })).toContain(
      'SUCCESS',
    )
  })
})
