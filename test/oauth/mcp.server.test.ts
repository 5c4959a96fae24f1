import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { auth, type OAuthClientProvider, UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { freePort } from '../helpers/free-port.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const password = 'correct horse battery'
const home = mkdtempSync(join(tmpdir(), 'sallyport-'))

let example: ChildProcess
let origin: string

beforeAll(async () => {
  const port = await freePort()
  origin = `http://localhost:${port}`
  const file = join(home, 'mcp.toml')
  const text = readFileSync(join(root, 'examples/mcp.toml'), 'utf8')
  const more = '\n[[oauth.service_provider]]\nname = "other"\nredirect_uris = ["https://other.example.com/cb"]\n'
  const flags = 'pkce_mandatory = true\nallow_without_client_secret = true\naudience = "https://other.example.com"\n'
  writeFileSync(file, text.replaceAll('9446', String(port)) + more + flags)
  example = spawn(process.execPath, ['--import', 'tsx', 'examples/mcp.ts', file], {
    cwd: root,
    env: { ...process.env, ALICE_PASSWORD: password },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await new Promise<void>((resolve, reject) => {
    example.stdout!.on('data', (chunk) => String(chunk).includes('is open to alice') && resolve())
    example.once('exit', () => reject(new Error('the example has ended')))
  })
}, 60_000)

afterAll(async () => {
  const ended = new Promise((resolve) => example.once('exit', resolve))
  example.kill()
  await ended
  rmSync(home, { recursive: true })
})

/** What an MCP client keeps, and where it sends the user: registered beforehand, on a port of its own. */
class RegisteredClient implements OAuthClientProvider {
  readonly redirectUrl = 'http://127.0.0.1:53682/callback'
  readonly clientMetadata = { redirect_uris: [this.redirectUrl], client_name: 'an MCP client' }
  target: URL | undefined
  #tokens: OAuthTokens | undefined
  #verifier = ''

  clientInformation() {
    return { client_id: 'mcp-client' }
  }

  tokens() {
    return this.#tokens
  }

  saveTokens(tokens: OAuthTokens) {
    this.#tokens = tokens
  }

  redirectToAuthorization(target: URL) {
    this.target = target
  }

  saveCodeVerifier(verifier: string) {
    this.#verifier = verifier
  }

  codeVerifier() {
    return this.#verifier
  }
}

/** Signs alice in as a browser does, and answers with the code. */
async function signIn(target: URL): Promise<string> {
  const cookies = new Map<string, string>()
  let url = target.href
  for (let step = 0; step < 6; step++) {
    const isForm = url.includes('/login/')
    const answer = await fetch(url, {
      method: isForm ? 'POST' : 'GET',
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '), origin },
      ...(isForm && { body: new URLSearchParams({ username: 'alice', password }) }),
    })
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      cookies.set(name, value)
    }
    const location = answer.headers.get('location')
    if (location === null) throw new Error(`${answer.status}: ${(await answer.text()).slice(0, 500)}`)
    if (location.startsWith('http://127.0.0.1:53682/callback?')) return new URL(location).searchParams.get('code') ?? ''
    url = new URL(location, origin).href
  }
  throw new Error('went in circles')
}

const newTransport = (authProvider?: OAuthClientProvider) =>
  new StreamableHTTPClientTransport(new URL(`${origin}/mcp`), authProvider && { authProvider })

async function connected(provider: OAuthClientProvider): Promise<Client> {
  const client = new Client({ name: 'a client', version: '1.0.0' })
  // biome-ignore lint/suspicious/noExplicitAny: the optional members of its own interface differ under exactOptionalPropertyTypes
  await client.connect(newTransport(provider) as any)
  return client
}

it("is found and signed in to by the client of MCP's own SDK, which calls a tool, and goes on after a refresh", async () => {
  const provider = new RegisteredClient()
  await expect(connected(provider)).rejects.toThrow(UnauthorizedError)
  const { target } = provider
  expect(target?.href).toMatch(`${origin}/oauth2/authorize?`)
  expect(Object.fromEntries(target!.searchParams)).toMatchObject({ scope: 'tools', resource: `${origin}/mcp` })

  await newTransport(provider).finishAuth(await signIn(target!))
  const client = await connected(provider)
  const { tools } = await client.listTools()
  expect(tools.map(({ name }) => name)).toEqual(['orders'])
  const answer = await client.callTool({ name: 'orders' })
  expect(answer.content).toEqual([{ type: 'text', text: 'alice has ordered two books.' }])

  const before = provider.tokens()!
  expect(await auth(provider, { serverUrl: `${origin}/mcp` })).toBe('AUTHORIZED')
  expect(provider.tokens()?.refresh_token).not.toBe(before.refresh_token)
  expect((await client.listTools()).tools).toHaveLength(1)
  await client.close()
})

it('refuses a call without a good token, and says where tokens are', async () => {
  for (const authorization of [undefined, 'Bearer wrong']) {
    const headers = authorization === undefined ? undefined : { authorization }
    const answer = await fetch(`${origin}/mcp`, { method: 'POST', ...(headers && { headers }) })
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toContain(
      `scope="tools", resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp"`,
    )
  }
})

it('gives no token for a resource that is not that of the client, neither at /authorize nor at /token', async () => {
  const query = {
    client_id: 'mcp-client',
    response_type: 'code',
    redirect_uri: 'http://127.0.0.1:53682/callback',
    scope: 'tools',
    code_challenge: 'x'.repeat(43),
    code_challenge_method: 'S256',
  }
  const url = `${origin}/oauth2/authorize?${new URLSearchParams({ ...query, resource: 'https://other.example.com' })}`
  const refused = await fetch(url, { redirect: 'manual' })
  expect(new URL(refused.headers.get('location')!).searchParams.get('error')).toBe('invalid_target')

  const provider = new RegisteredClient()
  await auth(provider, { serverUrl: `${origin}/mcp` })
  const code = await signIn(provider.target!)
  const exchanged = await fetch(`${origin}/oauth2/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: 'mcp-client',
      code,
      redirect_uri: provider.redirectUrl,
      code_verifier: provider.codeVerifier(),
      resource: 'https://other.example.com',
    }),
  })
  expect([exchanged.status, await exchanged.json()]).toEqual([
    400,
    expect.objectContaining({ error: 'invalid_target' }),
  ])
})
