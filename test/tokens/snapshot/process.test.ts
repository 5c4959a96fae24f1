import { describe, expect, it } from 'vitest'
import { basic, bearer, users } from '../../helpers/front.js'
import { Browser, newCode, newTokens, type OauthFront, refresh, type TokenAnswer } from '../../oauth/front.js'
import { origin, ownForm } from '../../portals/portal-front.js'
import { type AppProcess, oauthTables, snapshotDocument, startProcess } from './app-process.js'

const signals = ['SIGTERM', 'SIGKILL'] as const

async function signIn({ call }: AppProcess): Promise<string> {
  const { name, password } = users.admin
  const body = new URLSearchParams({ username: name, password }).toString()
  const type = 'Content-Type: application/x-www-form-urlencoded'
  const answer = await call('/publisher/login', [type, ...ownForm], 'POST', body)
  expect(answer.status, answer.body).toBe(303)
  return `Cookie: ${/[\w-]*sallyport-publisher=[^;]+/.exec(answer.header('set-cookie')!)![0]}`
}

describe('a process with a snapshot', () => {
  it.each(signals)('takes after %s what it has issued, and not what was revoked', async (signal) => {
    const source = snapshotDocument(oauthTables)
    const first = await startProcess(source)
    const tokens = await Promise.all(Array.from({ length: 200 }, () => first.login()))
    const revoked = tokens.slice(0, 50)
    const answers = revoked.map((token) => first.call('/management/logout', [bearer(token)]))
    for (const { status } of await Promise.all(answers)) expect(status).toBe(200)
    await first.end(signal)

    const next = await startProcess(source)
    const taken: boolean[] = []
    for (const token of tokens) taken.push(await next.takes(token))
    expect(taken).toEqual([...Array(50).fill(false), ...Array(150).fill(true)])
    expect(next.log()).not.toContain('snapshot')
    await next.end('SIGTERM')
  })

  it.skipIf(process.platform === 'win32')(
    'answers 503 to what it cannot write, and goes on with what is there',
    async () => {
      const source = snapshotDocument()
      const first = await startProcess(source, 8)
      const tokens: string[] = []
      const login = () => first.call('/management/login', [basic('admin', users.admin.password)])
      let answer = await login()
      for (; answer.status === 200; answer = await login()) {
        tokens.push(answer.json<{ AccessToken: string }>().AccessToken)
      }
      expect(answer.status).toBe(503)
      expect(tokens.length).toBeGreaterThan(1)
      expect(await first.takes(tokens[1]!)).toBe(true)
      expect((await first.call('/management/logout', [bearer(tokens[0]!)])).status).toBe(503)
      expect(await first.takes(tokens[1]!)).toBe(true)
      expect(first.log()).toContain('logins and logouts are refused with 503 until it can')
      await first.end('SIGKILL')
      const next = await startProcess(source)
      for (const token of tokens) expect(await next.takes(token)).toBe(true)
      await next.end('SIGTERM')
    },
  )

  it.each(signals)('goes on after %s with sessions of portals and with what clients were given', async (signal) => {
    const source = snapshotDocument(oauthTables)
    const first = await startProcess(source)
    const [session, ended] = [await signIn(first), await signIn(first)]
    const signOut = await first.call('/publisher/logout', [ended, `Origin: ${origin}`], 'POST')
    expect(signOut.status, signOut.body).toBe(204)
    expect((await first.call('/publisher/apis', [session])).status).toBe(200)
    const browser = new Browser(first.front.send)
    const tokens = await newTokens(first.front as OauthFront, browser)
    const used = (await refresh(first.front as OauthFront, tokens.refresh_token)).json() as unknown as TokenAnswer
    await first.end(signal)

    const next = await startProcess(source)
    expect((await next.call('/publisher/apis', [session])).status).toBe(200)
    expect((await next.call('/publisher/apis', [ended])).status).toBe(401)
    const fresh = await refresh(next.front as OauthFront, used.refresh_token)
    expect(fresh.status, fresh.text).toBe(200)
    // The sign-on too: no password is asked for.
    const again = new Browser(next.front.send)
    for (const [name, cookie] of browser.cookies) again.cookies.set(name, cookie)
    expect((await newCode(again, { prompt: 'none' })).code).not.toBe('')
    await next.end('SIGTERM')
  })
})
