import request, { type Response } from 'supertest'
import { describe, expect, it, vi } from 'vitest'
import { parseConfig } from '../../lib/config/parse.js'
import { ConfigError } from '../../lib/core/errors.js'
import {
  codeAt,
  password,
  type SecondFactorFront,
  seed,
  start,
  startSecondFactors,
} from '../helpers/second-factor-front.js'

const alice = { user: { name: 'alice', password, totp: seed } }
const root = { user: { name: 'root', password, is_admin: true } }

async function logIn(front: SecondFactorFront, name: string, headers: Record<string, string> = {}, typed = password) {
  return request(front.app).get('/management/login').auth(name, typed).set(headers)
}

const tokenOf = ({ body }: Response): string => (body as { AccessToken: string }).AccessToken

describe('the login of the management API', () => {
  it('takes the code as X-OTP from a user who has a second factor, once', async () => {
    const front = await startSecondFactors({}, [alice, root])
    const without = await logIn(front, 'alice')
    expect([without.status, without.body.code]).toEqual([401, 'ERR_SECOND_FACTOR_REQUIRED'])
    const code = { 'X-OTP': codeAt(front.now) }
    const good = await logIn(front, 'alice', code)
    expect(good.status).toBe(200)
    const { body } = await request(front.app).get('/management/apis').auth(tokenOf(good), { type: 'bearer' })
    expect(body).toMatchObject({ subject: 'alice', factors: ['password', 'otp'] })
    const again = await logIn(front, 'alice', code)
    expect(again.status).toBe(401)
    expect((await logIn(front, 'root')).status).toBe(200)
  })

  it('answers a wrong code as it answers a wrong password', async () => {
    const front = await startSecondFactors({}, [alice])
    const wrongCode = await logIn(front, 'alice', { 'X-OTP': '000000' })
    const wrongPassword = await logIn(front, 'alice', { 'X-OTP': codeAt(start) }, 'wrong')
    expect([wrongCode.status, wrongCode.body]).toEqual([wrongPassword.status, wrongPassword.body])
  })

  it('takes six digits behind the password only where the file names what is between them', async () => {
    const digits = codeAt(start)
    const plain = await startSecondFactors({}, [alice])
    expect((await logIn(plain, 'alice', {}, `${password},${digits}`)).status).toBe(401)
    const front = await startSecondFactors({ management_api: { otp_separator: ',' } }, [alice])
    expect((await logIn(front, 'alice', {}, `${password},${digits}`)).status).toBe(200)
  })

  it('refuses who has none where it is demanded, and tokens that were issued before', async () => {
    const front = await startSecondFactors({}, [alice, root])
    const token = tokenOf(await logIn(front, 'root'))
    const call = () => request(front.app).get('/management/apis').auth(token, { type: 'bearer' })
    expect((await call()).status).toBe(200)
    const demanding = {
      management_api: {
        ...(front.config as { management_api: object }).management_api,
        second_factor: 'administrators',
      },
    }
    await front.security.reload({ ...front.config, ...demanding })
    const refused = await call()
    expect([refused.status, refused.body.code]).toEqual([401, 'ERR_SECOND_FACTOR_REQUIRED'])
    expect((await logIn(front, 'root', { 'X-OTP': codeAt(front.now) })).body.code).toBe('ERR_SECOND_FACTOR_REQUIRED')
  })

  it('counts wrong codes until an operator unlocks the user', async () => {
    const front = await startSecondFactors({}, [alice])
    for (let guess = 0; guess < 5; guess++) await logIn(front, 'alice', { 'X-OTP': '000000' })
    expect((await logIn(front, 'alice', { 'X-OTP': codeAt(front.now) })).status).toBe(429)
    await front.security.unlock('alice')
    expect((await logIn(front, 'alice', { 'X-OTP': codeAt(front.now) })).status).toBe(200)
  })
})

describe('users of a database', () => {
  it('are unlocked by DELETE /locks, after wrong codes too, however the name is written', async () => {
    const front = await startSecondFactors()
    const { secret } = await front.secondFactors.assign('alice')
    const rootToken = tokenOf(await logIn(front, 'root'))
    const guess = () => logIn(front, 'alice', { 'X-OTP': '000000' })
    const lift = (name: string) =>
      request(front.app).delete(`/management/locks?user=${name}`).auth(rootToken, { type: 'bearer' })
    for (const name of ['alice', 'PRIMARY%2FALICE']) {
      for (let wrong = 0; wrong < 5; wrong++) expect((await guess()).status).toBe(401)
      expect((await logIn(front, 'alice', { 'X-OTP': codeAt(front.now, secret) })).status).toBe(429)
      expect((await lift(name)).body).toMatchObject({ status: 'Lifted' })
      expect((await lift(name)).body).toMatchObject({ status: 'NotLocked' })
      expect((await logIn(front, 'alice', { 'X-OTP': codeAt(front.now, secret) })).status).toBe(200)
      front.now += 30_000
    }
    expect((await lift('nobody-there')).body).toEqual({ user: 'nobody-there', status: 'NotLocked' })
  })

  it('change their own password, and lose the second factor with the account', async () => {
    const front = await startSecondFactors()
    for (const name of ['alice', 'root']) expect(await front.secondFactors.statusOf(name)).toBe('none')
    const rootToken = tokenOf(await logIn(front, 'root'))
    const { secret } = await front.secondFactors.assign('alice')
    const token = tokenOf(await logIn(front, 'alice', { 'X-OTP': codeAt(front.now, secret) }))
    const newPassword = 'Another-horse-2'
    const change = (oldPassword: string) =>
      request(front.app)
        .patch('/management/users/alice')
        .auth(token, { type: 'bearer' })
        .send({ oldPassword, newPassword, confirmPassword: newPassword })
    expect((await change('wrong-password')).body).toMatchObject({ code: 'ERR_PASSWORD_WRONG' })
    expect((await change(password)).status).toBe(200)
    const removed = await request(front.app).delete('/management/users/alice').auth(rootToken, { type: 'bearer' })
    expect(removed.status).toBe(200)
    await vi.waitFor(async () => expect(await front.secondFactors.statusOf('alice')).toBe('none'))
  })
})

describe('Basic for every resource', () => {
  const basic = { management_api: { basic_security_handler: { enable: true } } }

  it('refuses users who have a second factor, and those of whom one is demanded', async () => {
    const demanding = { management_api: { ...basic.management_api, second_factor: 'administrators' } }
    const front = await startSecondFactors(demanding, [alice, root, { user: { name: 'bob', password } }])
    for (const [name, status] of [
      ['alice', 401],
      ['root', 401],
      ['bob', 200],
    ] as const) {
      const answer = await request(front.app)
        .get('/management/apis')
        .auth(name, password)
        .set('X-OTP', codeAt(front.now))
      expect([name, answer.status]).toEqual([name, status])
    }
  })

  it.each([{ second_factor: 'all' }, { otp_separator: ',' }])('cannot be combined with %o', (keys) => {
    const config = { management_api: { ...basic.management_api, ...keys } }
    expect(() => parseConfig(config, { env: {} })).toThrow(ConfigError)
  })
})

describe('a configuration', () => {
  it('is refused where users of a directory would need a second factor, or a database has no key', () => {
    const ldap = {
      internal_apis: { file_user_store: { enable: false } },
      user_store: { type: 'read_only_ldap', connection_url: 'ldaps://one.example', base_dn: 'dc=example' },
      portal: { second_factor: 'all' },
    }
    expect(() => parseConfig(ldap, { env: {} })).toThrow('a directory has no place for second factors')
    const database = {
      ...ldap,
      user_store: { type: 'database' },
      datasource: [{ id: 'WSO2CarbonDB', url: 'jdbc:sqlite:./a.db' }],
    }
    expect(() => parseConfig(database, { env: {} })).toThrow('second_factor')
    expect(() =>
      parseConfig(
        { internal_apis: { users: [{ user: { name: 'a', password: 'b-long-one', totp: 'short' } }] } },
        { env: {} },
      ),
    ).toThrow('seed in base32')
  })
})

it('does not begin at a reload: nothing would be asked for', async () => {
  const front = await startSecondFactors({}, [root])
  const users = { internal_apis: { users: [root, alice] } }
  await expect(front.security.reload({ ...front.config, ...users })).rejects.toThrow('takes effect at the next start')
  expect((await logIn(front, 'root')).status).toBe(200)
})

it('answers 503 while the store of second factors cannot be reached', async () => {
  const front = await startSecondFactors()
  await front.secondFactors.assign('root')
  const { users } = front.security
  const account = (await users.find('root'))!
  await front.security.close()
  // The database of the second factors is closed; that of the users would still answer.
  Object.assign(users, { authenticate: async () => ({ account }) })
  const answer = await logIn(front, 'root', { 'X-OTP': '000000' })
  expect([answer.status, answer.headers['retry-after']]).toEqual([503, '5'])
  await expect(front.secondFactors.statusOf('root')).resolves.toBe('enrolled')
})
