import { describe, expect, it } from 'vitest'
import type { ManagedUserStore } from '../../lib/users/managed-user-store.js'
import { codeAt, start, startSecondFactors } from '../helpers/second-factor-front.js'

const console = '/management_console'

/** What changes users in the store itself. */
type Changing = Required<Pick<ManagedUserStore, 'setPassword' | 'setDisabled' | 'remove'>>

describe('a portal that asks users who have a second factor', () => {
  it('asks for a code on a second page, and starts a session when it is right', async () => {
    const front = await startSecondFactors()
    const { secret } = await front.secondFactors.assign('root')
    const browser = front.browser()
    const asked = await browser.signIn(console, 'root')
    expect(asked.status).toBe(200)
    expect(asked.text).toContain('Enter the code of your authenticator app')
    expect([...browser.cookies.keys()]).toEqual(['sallyport-management_console-step'])
    expect((await browser.open(console)).status).toBe(303)
    const answer = await browser.post(`${console}/login`, { code: codeAt(front.now, secret) })
    expect([answer.status, answer.headers['location']]).toEqual([303, '/management_console/'])
    expect([...browser.cookies.keys()]).toEqual(['sallyport-management_console'])
    const { body } = await browser.open(`${console}/data`)
    expect(body).toMatchObject({ subject: 'root', factors: ['password', 'otp'] })
  })

  it('asks nobody else', async () => {
    const front = await startSecondFactors()
    await front.secondFactors.assign('root')
    const browser = front.browser()
    expect((await browser.signIn('/publisher', 'alice')).status).toBe(303)
    expect((await browser.open('/publisher/data')).body.factors).toEqual(['password'])
  })

  it('takes a code once: not again, and not in the next step', async () => {
    const front = await startSecondFactors()
    const { secret } = await front.secondFactors.assign('root')
    const code = codeAt(front.now, secret)
    for (const expected of [303, 401]) {
      const browser = front.browser()
      await browser.signIn(console, 'root')
      expect((await browser.post(`${console}/login`, { code })).status).toBe(expected)
    }
    front.now += 30_000
    const browser = front.browser()
    await browser.signIn(console, 'root')
    expect((await browser.post(`${console}/login`, { code })).status).toBe(401)
    // The step after is a code of its own.
    expect((await browser.post(`${console}/login`, { code: codeAt(front.now, secret) })).status).toBe(303)
  })

  it('takes a code of two parallel requests once', async () => {
    const front = await startSecondFactors()
    const { secret } = await front.secondFactors.assign('root')
    const code = codeAt(front.now, secret)
    const browsers = [front.browser(), front.browser(), front.browser()]
    for (const browser of browsers) await browser.signIn(console, 'root')
    const answers = await Promise.all(browsers.map((browser) => browser.post(`${console}/login`, { code })))
    expect(answers.map(({ status }) => status).sort()).toEqual([303, 401, 401])
  })

  it('takes the code of the step before and after, and none further away', async () => {
    const front = await startSecondFactors()
    const { secret } = await front.secondFactors.assign('root')
    const browser = front.browser()
    await browser.signIn(console, 'root')
    for (const away of [-60_000, 60_000]) {
      const far = await browser.post(`${console}/login`, { code: codeAt(front.now + away, secret) })
      expect(far.status).toBe(401)
    }
    const near = await browser.post(`${console}/login`, { code: codeAt(front.now - 30_000, secret) })
    expect(near.status).toBe(303)
  })

  it('takes no code of another user', async () => {
    const front = await startSecondFactors()
    await front.secondFactors.assign('root')
    const { secret } = await front.secondFactors.assign('alice')
    const browser = front.browser()
    await browser.signIn(console, 'root')
    expect((await browser.post(`${console}/login`, { code: codeAt(front.now, secret) })).status).toBe(401)
  })

  it('takes each of ten recovery codes once, however it is typed', async () => {
    const front = await startSecondFactors()
    const { recoveryCodes } = await front.secondFactors.assign('root')
    expect(new Set(recoveryCodes).size).toBe(10)
    const [first = '', second = ''] = recoveryCodes
    for (const [code, expected] of [
      [first, 303],
      [first, 401],
      [` ${second.toUpperCase().replaceAll('-', ' ')} `, 303],
    ] as const) {
      const browser = front.browser()
      await browser.signIn(console, 'root')
      expect((await browser.post(`${console}/login`, { code })).status).toBe(expected)
    }
  })
})

describe('the second page', () => {
  it('is nothing without the first', async () => {
    const front = await startSecondFactors()
    const { secret } = await front.secondFactors.assign('root')
    const answer = await front.browser().post(`${console}/login`, { code: codeAt(front.now, secret) })
    expect(answer.status).toBe(401)
    expect(answer.text).toContain('Sign in again')
  })

  it('takes the cookie of a stolen password step for no session, at no other portal, and for five minutes', async () => {
    const front = await startSecondFactors()
    const { secret } = await front.secondFactors.assign('root')
    const browser = front.browser()
    await browser.signIn(console, 'root')
    const stolen = browser.cookies.get('sallyport-management_console-step')!
    const thief = front.browser('203.0.113.9')
    thief.cookies.set('sallyport-management_console', stolen)
    expect((await thief.open(console)).status).toBe(303)
    thief.cookies.set('sallyport-publisher-step', stolen)
    expect((await thief.post('/publisher/login', { code: codeAt(front.now, secret) })).status).toBe(401)
    front.now += 300_001
    expect((await browser.post(`${console}/login`, { code: codeAt(front.now, secret) })).status).toBe(401)
  })

  it.each([
    ['the password is changed', (users: Changing) => users.setPassword('root', 'Another-horse-2')],
    ['the user is disabled', (users: Changing) => users.setDisabled('root', true)],
    ['the user is removed', (users: Changing) => users.remove('root')],
  ])('ends when %s meanwhile', async (_what, change) => {
    const front = await startSecondFactors()
    const { secret } = await front.secondFactors.assign('root')
    const browser = front.browser()
    await browser.signIn(console, 'root')
    await change(front.security.users as unknown as Changing)
    const answer = await browser.post(`${console}/login`, { code: codeAt(front.now, secret) })
    expect([answer.status, [...browser.cookies.keys()]]).toEqual([401, []])
  })

  it('starts a fresh session: one that was planted before is nothing after', async () => {
    const front = await startSecondFactors()
    const { secret } = await front.secondFactors.assign('root')
    const browser = front.browser()
    browser.cookies.set('sallyport-management_console', 'A'.repeat(43))
    await browser.signIn(console, 'root')
    await browser.post(`${console}/login`, { code: codeAt(front.now, secret) })
    expect(browser.cookies.get('sallyport-management_console')).not.toBe('A'.repeat(43))
    const planted = front.browser()
    planted.cookies.set('sallyport-management_console', 'A'.repeat(43))
    expect((await planted.open(console)).status).toBe(303)
  })
})

describe('guessing codes with the right password', () => {
  it('is stopped after five, from every address, over a restart, and a right code waits as well', async () => {
    const front = await startSecondFactors()
    const { secret } = await front.secondFactors.assign('root')
    for (let guess = 0; guess < 5; guess++) {
      const browser = front.browser(`203.0.113.${guess}`)
      await browser.signIn(console, 'root')
      expect((await browser.post(`${console}/login`, { code: '000000' })).status).toBe(401)
    }
    const browser = front.browser('198.51.100.1')
    await browser.signIn(console, 'root')
    const waiting = await browser.post(`${console}/login`, { code: codeAt(front.now, secret) })
    expect([waiting.status, waiting.headers['retry-after']]).toEqual([429, '60'])
    // Another process over the same database: what it knows, it has read.
    expect(await front.secondFactors.verify('root', codeAt(front.now, secret))).toMatchObject({ outcome: 'locked' })
    front.now += 60_000
    expect((await browser.post(`${console}/login`, { code: codeAt(front.now, secret) })).status).toBe(303)
  })

  it('is no success to the throttle of passwords', async () => {
    const front = await startSecondFactors()
    await front.secondFactors.assign('root')
    const browser = front.browser()
    for (let guess = 0; guess < 4; guess++) await browser.signIn(console, 'root', 'wrong')
    expect((await browser.signIn(console, 'root')).status).toBe(200)
    expect((await browser.signIn(console, 'root', 'wrong')).status).toBe(401)
    expect((await browser.signIn(console, 'root', 'wrong')).status).toBe(429)
  })
})

describe('a second factor that is demanded', () => {
  const demanded = { portal: { second_factor: 'administrators' } }

  it('is set up at the first sign-in with a code of an operator, and shows recovery codes once', async () => {
    const front = await startSecondFactors(demanded)
    const invitation = await front.secondFactors.createEnrolmentCode('root', 86_400_000)
    const browser = front.browser()
    expect((await browser.signIn(console, 'root')).text).toContain('Setup code')
    expect((await browser.post(`${console}/login`, { code: 'nothing' })).status).toBe(401)
    const shown = await browser.post(`${console}/login`, { code: invitation })
    const secret = /<code>([A-Z2-7 ]+)<\/code>/.exec(shown.text)![1]!.replaceAll(' ', '')
    expect(shown.text).toContain('<svg')
    expect((await browser.post(`${console}/login`, { code: '000000' })).status).toBe(401)
    const done = await browser.post(`${console}/login`, { code: codeAt(front.now, secret) })
    expect(done.status).toBe(200)
    expect(done.text.match(/<li>/g)).toHaveLength(10)
    expect((await browser.open(`${console}/data`)).body).toMatchObject({ subject: 'root' })
    // Used up.
    expect((await front.secondFactors.verifyEnrolmentCode('root', invitation)).outcome).toBe('wrong')
  })

  it('cannot be set up by whoever has the password alone', async () => {
    const front = await startSecondFactors(demanded)
    const browser = front.browser()
    await browser.signIn(console, 'root')
    expect((await browser.post(`${console}/login`, { code: codeAt(front.now) })).status).toBe(401)
    expect(await front.secondFactors.statusOf('root')).toBe('none')
  })

  it('is not asked of users who are no administrators', async () => {
    const front = await startSecondFactors(demanded)
    expect((await front.browser().signIn('/publisher', 'alice')).status).toBe(303)
  })

  it('ends sessions that began without one, and sends their users to the login page', async () => {
    const front = await startSecondFactors()
    const browser = front.browser()
    await browser.signIn(console, 'root')
    expect((await browser.open(`${console}/data`)).status).toBe(200)
    await front.security.reload({ ...front.config, portal: { allow_insecure_http: true, second_factor: 'all' } })
    const answer = await browser.open(`${console}/data`)
    expect([answer.status, answer.headers['location']]).toEqual([
      303,
      '/management_console/login?return_to=%2Fmanagement_console%2Fdata',
    ])
    expect((await browser.open(`${console}/login`)).text).toContain('Your session has ended')
  })

  it('lets no users of the file in who have none, and says so', async () => {
    const front = await startSecondFactors(demanded, [
      { user: { name: 'root', password: 'Correct-horse-1', is_admin: true } },
    ])
    const answer = await front.browser().signIn(console, 'root')
    expect(answer.status).toBe(401)
    expect(answer.text).toContain('Ask an administrator')
  })
})

it('keeps seeds and codes out of the log, and seals seeds in the database', async () => {
  const front = await startSecondFactors({ portal: { second_factor: 'all' } })
  const { secret, recoveryCodes } = await front.secondFactors.assign('root')
  const browser = front.browser()
  await browser.signIn(console, 'root')
  await browser.post(`${console}/login`, { code: '123456' })
  await browser.post(`${console}/login`, { code: codeAt(front.now, secret) })
  const text = JSON.stringify(front.log.lines)
  for (const hidden of [secret, '123456', codeAt(start, secret), ...recoveryCodes]) expect(text).not.toContain(hidden)
  const { readFileSync } = await import('node:fs')
  const [{ url }] = (front.config as { datasource: [{ url: string }] }).datasource
  expect(readFileSync(url.replace('jdbc:sqlite:', ''), 'latin1')).not.toContain(secret)
})
