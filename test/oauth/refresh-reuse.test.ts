import { describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  type Answer,
  newTokens,
  type OauthFront,
  oauthFront,
  providers,
  refresh,
  type TokenAnswer,
  userinfo,
} from './front.js'

const start = Date.now()

async function frontWithWindow(refresh_reuse_window = '10s'): Promise<OauthFront> {
  // The provider reads the clock of the system, so that is the one to turn.
  vi.useFakeTimers({ now: start, toFake: ['Date'] })
  onTestFinished(() => void vi.useRealTimers())
  return oauthFront({ oauth: { refresh_reuse_window } })
}

const tokensIn = (answer: Answer): TokenAnswer => {
  expect([answer.status, answer.text]).toEqual([200, expect.any(String)])
  return answer.json() as unknown as TokenAnswer
}

async function expectEnded(front: OauthFront, ...tokens: readonly TokenAnswer[]): Promise<void> {
  for (const { access_token, refresh_token } of tokens) {
    expect((await userinfo(front, access_token)).status).toBe(401)
    expect((await refresh(front, refresh_token)).json()['error']).toBe('invalid_grant')
  }
  expect(await front.security.tokens.list({ kind: 'oauth' })).toEqual([])
}

// Covers: G07 G31
describe('a window in which a refresh token may be used again', () => {
  it('lets two tabs go on that refresh at once, with the same successor', async () => {
    const front = await frontWithWindow()
    const first = await newTokens(front, front.browser())
    const [one, two] = (await Promise.all([1, 2].map(() => refresh(front, first.refresh_token)))).map(tokensIn)
    expect(two!.refresh_token).toBe(one!.refresh_token)
    expect(two!.access_token).not.toBe(one!.access_token)
    for (const { access_token } of [one!, two!]) expect((await userinfo(front, access_token)).status).toBe(200)
    vi.setSystemTime(start + 60_000)
    const next = tokensIn(await refresh(front, one!.refresh_token))
    expect((await userinfo(front, next.access_token)).status).toBe(200)
  })

  it.each(['0s', undefined])('is none with %j: the family ends', async (refresh_reuse_window) => {
    const front = await oauthFront({ oauth: { refresh_reuse_window } })
    const first = await newTokens(front, front.browser())
    const second = tokensIn(await refresh(front, first.refresh_token))
    expect((await refresh(front, first.refresh_token)).json()['error']).toBe('invalid_grant')
    await expectEnded(front, first, second)
  })

  it('is good for one repetition: the next one ends the family', async () => {
    const front = await frontWithWindow()
    const first = await newTokens(front, front.browser())
    const uses = [await refresh(front, first.refresh_token), await refresh(front, first.refresh_token)].map(tokensIn)
    expect((await refresh(front, first.refresh_token)).json()['error']).toBe('invalid_grant')
    await expectEnded(front, first, ...uses)
  })

  it('gives 50 that come at once no more than one successor, and ends the family', async () => {
    const front = await frontWithWindow()
    const { refresh_token } = await newTokens(front, front.browser())
    const answers = await Promise.all(Array.from({ length: 50 }, () => refresh(front, refresh_token)))
    const good = answers.filter(({ status }) => status === 200).map(tokensIn)
    expect(good.length).toBeLessThanOrEqual(2)
    expect(new Set(good.map((tokens) => tokens.refresh_token)).size).toBe(1)
    await expectEnded(front, ...good)
  })

  it('is over at its end', async () => {
    const front = await frontWithWindow()
    const first = await newTokens(front, front.browser())
    const second = tokensIn(await refresh(front, first.refresh_token))
    vi.setSystemTime(start + 10_000)
    expect((await refresh(front, first.refresh_token)).json()['error']).toBe('invalid_grant')
    await expectEnded(front, first, second)
  })

  it('is over when the successor has been used: then somebody else has the first one', async () => {
    const front = await frontWithWindow()
    const first = await newTokens(front, front.browser())
    const second = tokensIn(await refresh(front, first.refresh_token))
    const third = tokensIn(await refresh(front, second.refresh_token))
    expect((await refresh(front, first.refresh_token)).json()['error']).toBe('invalid_grant')
    await expectEnded(front, first, second, third)
  })

  it('gives nothing to another client that has stolen the token, and counts no use', async () => {
    const others = [...providers.slice(0, 1), { ...providers[1], refresh_tokens: true }]
    vi.useFakeTimers({ now: start, toFake: ['Date'] })
    onTestFinished(() => void vi.useRealTimers())
    const front = await oauthFront({ oauth: { refresh_reuse_window: '10s', service_provider: others } })
    const first = await newTokens(front, front.browser())
    const second = tokensIn(await refresh(front, first.refresh_token))
    const body = new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: 'other-app',
      refresh_token: first.refresh_token,
    })
    const stolen = await front.send('/oauth2/token', { method: 'POST', body })
    expect([stolen.status, stolen.json()['error']]).toEqual([400, 'invalid_grant'])
    expect(tokensIn(await refresh(front, first.refresh_token)).refresh_token).toBe(second.refresh_token)
  })

  it('opens no family that has ended', async () => {
    const front = await frontWithWindow()
    const first = await newTokens(front, front.browser())
    const second = tokensIn(await refresh(front, first.refresh_token))
    const body = new URLSearchParams({ client_id: 'devportal-app', token: second.refresh_token })
    expect((await front.send('/oauth2/revoke', { method: 'POST', body })).status).toBe(200)
    expect((await refresh(front, first.refresh_token)).json()['error']).toBe('invalid_grant')
    await expectEnded(front, first, second)

    const third = await newTokens(front, front.browser())
    tokensIn(await refresh(front, third.refresh_token))
    await front.security.tokens.revokeUser('alice')
    expect((await refresh(front, third.refresh_token)).json()['error']).toBe('invalid_grant')
  })

  it('needs nothing usable in the store, and none of its tokens can be computed from another', async () => {
    const one = await frontWithWindow()
    const first = await newTokens(one, one.browser())
    const { refresh_token } = tokensIn(await refresh(one, first.refresh_token))
    expect(refresh_token).toMatch(/^[\w-]{43}$/)
    expect(refresh_token).not.toBe(first.refresh_token)
    expect(one.log.lines.join('')).not.toContain(refresh_token)
  })
})
