import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { freePort } from '../helpers/free-port.js'
import { keyPair, pemOfKey } from '../helpers/key-files.js'
import { blocksIn, type FencedBlock, readBlocks } from './fenced-blocks.js'
import { markdownFiles } from './pages.js'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-nginx-'))
afterAll(() => rmSync(folder, { recursive: true }))
const { key, certificate } = keyPair()
writeFileSync(join(folder, 'app.example.pem'), certificate.toString())
writeFileSync(join(folder, 'app.example.key'), pemOfKey(key))

/** What `nginx -t` says of blocks as the content of `http`, with what "the rest" of a server is. */
async function complaintOf(...texts: readonly string[]): Promise<string> {
  const rest = 'ssl_certificate /etc/nginx/app.example.pem; ssl_certificate_key /etc/nginx/app.example.key;'
  const blocks = texts
    .join('\n')
    .replace(/# and the rest.*/, rest)
    .replaceAll('/etc/nginx', folder)
    .replace('listen 443', `listen 127.0.0.1:${await freePort()}`)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/t;`)
  const file = join(folder, 'nginx.conf')
  writeFileSync(file, `pid ${folder}/pid; events {} http { access_log off; ${temporary.join(' ')}\n${blocks}\n}`)
  const { status, stderr } = spawnSync('/usr/sbin/nginx', ['-t', '-q', '-e', `${folder}/error.log`, '-c', file])
  return status === 0 ? '' : stderr.toString() || `exit ${status}`
}

const blocks = markdownFiles.flatMap(readBlocks).filter(({ language }) => language === 'nginx')

it.each(blocks)('nginx takes the block at $place', async ({ text }) => {
  expect(await complaintOf(text)).toBe('')
})

it('nginx takes the server with the upstream of several processes', async () => {
  const ofProxies = blocks.filter(({ page }: FencedBlock) => page === 'docs/proxies.md').map(({ text }) => text)
  expect(ofProxies).toHaveLength(2)
  const together = ofProxies.map((text) =>
    text.replace('proxy_pass http://127.0.0.1:9201;', 'proxy_pass http://my-app;'),
  )
  expect(together.join()).toContain('http://my-app')
  expect(await complaintOf(...together.toReversed())).toBe('')
})

it('a mistake in a block of nginx is found', async () => {
  const [block] = blocksIn('```nginx\nserver { proxy_set_headers A b; }\n```', 'broken.md')
  expect(await complaintOf(block!.text)).toContain('unknown directive "proxy_set_headers"')
})
