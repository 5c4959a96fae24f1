import { expect, it } from 'vitest'
import { basic, bearer } from '../helpers/front.js'
import { type ManagedFront, people, startManagedFront } from '../helpers/managed-front.js'
import { twoSetUps } from '../helpers/set-ups.js'

/** What the `mi` command line prints for an answer that is not 200: `Error`, or the status line when there is no body. */
type Printed = { readonly error: string } | Record<string, unknown>

/** Sends requests as the `mi` command line does, and reads answers as strictly as it does. */
function miClient(front: ManagedFront) {
  let token = ''

  async function send(method: string, path: string, body?: object): Promise<Printed> {
    const isWriting = method === 'POST' || method === 'PUT'
    const headers = [
      bearer(token),
      ...(isWriting ? ['Accept: application/json', 'Content-Type: application/json'] : []),
    ]
    const answer = await front.call(method, path, headers, body && JSON.stringify(body))
    if (answer.status !== 200) {
      if (answer.body === '') return { error: answer.statusLine.replace('HTTP/1.1 ', '') }
      const refusal = flat(answer.json())
      return { error: refusal['Error']! }
    }
    if (method === 'GET') return answer.json()
    const done = flat(answer.json())
    expect(done['status']).toMatch(/./)
    return done
  }

  return {
    send,
    async login(user: { readonly name: string; readonly password: string }) {
      const answer = await front.call('GET', '/login', [basic(user.name, user.password)])
      expect(answer.status).toBe(200)
      token = flat(answer.json())['AccessToken']!
    },
    logout: async () => (await front.call('GET', '/logout', [bearer(token)])).status,
  }
}

/** A number in a flat object breaks the client. */
function flat(value: Record<string, unknown>): Record<string, string> {
  expect(Object.values(value).every((member) => typeof member === 'string')).toBe(true)
  return value as Record<string, string>
}

it.each(twoSetUps)('the commands of mi work one after the other, on $name', async (setUp) => {
  const front = await startManagedFront(setUp)
  const mi = miClient(front)
  await mi.login(people.root)
  expect(await mi.send('GET', '/users')).toMatchObject({ count: 4 })
  expect(await mi.send('GET', '/users?pattern=b%2A&role=operators')).toEqual({ count: 1, list: [{ userId: 'bob' }] })
  const alice = { userId: 'alice', password: 'Alice-password', isAdmin: 'true', domain: '' }
  expect(await mi.send('POST', '/users', alice)).toEqual({ userId: 'alice', status: 'Added' })
  expect(await mi.send('GET', '/users/alice')).toMatchObject({ userId: 'alice', isAdmin: true })
  expect(await mi.send('POST', '/roles', { role: 'tester', domain: 'Internal' })).toMatchObject({ status: 'Added' })
  const update = { userId: 'alice', domain: '', addedRoles: ['Internal/tester'], removedRoles: ['admin'] }
  expect(await mi.send('PUT', '/roles', update)).toEqual({ userId: 'alice', status: 'Added/removed the roles' })
  expect(await mi.send('GET', '/roles/Internal/tester')).toEqual({ role: 'Internal/tester', users: ['alice'] })
  expect(await mi.send('GET', '/roles')).toMatchObject({ count: 5 })
  expect(await mi.send('DELETE', '/roles/Internal/tester')).toMatchObject({ status: 'Deleted' })
  expect(await mi.send('DELETE', '/users/alice')).toEqual({ userId: 'alice', status: 'Deleted' })
  expect(await mi.send('DELETE', '/users/alice')).toEqual({
    error: 'Requested resource not found. User: alice cannot be found.',
  })
  expect(await mi.send('GET', '/users/no%20body')).toEqual({
    error: 'Requested resource not found. User: no body cannot be found.',
  })
  expect(await mi.logout()).toBe(200)
  expect(await mi.send('GET', '/users')).toEqual({ error: '401 Unauthorized' })
  await mi.login(people.bob)
  expect(await mi.send('GET', '/users')).toEqual({ error: '403 Forbidden' })
  expect(await mi.send('DELETE', '/users/nobody')).toEqual({ error: '403 Forbidden' })
})
