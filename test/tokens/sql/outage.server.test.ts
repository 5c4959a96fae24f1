import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startCluster } from '../../helpers/cluster.js'
import { onEachEngine } from '../../helpers/each-engine.js'
import { basic, bearer, type Front, users } from '../../helpers/front.js'
import type { RawAnswer } from '../../helpers/raw-http.js'
import type { SqlEngine } from '../../helpers/sql-engines.js'

/** Far more than it takes, so that a busy machine fails nothing. */
const patience = { timeout: 30_000 }

const managementApi = { public_paths: ['/public'] }

const get = (front: Front, path: string, token: string): Promise<RawAnswer> => front.call('GET', path, [bearer(token)])
const isIn = async (front: Front, token: string): Promise<number> => (await get(front, '/inbound', token)).status
const login = (front: Front, password: string = users.admin.password): Promise<RawAnswer> =>
  front.call('GET', '/login', [basic('admin', password)])

/** Noted for the whole process: nothing may end it. */
function noUnhandledRejection(): void {
  const rejections: unknown[] = []
  const note = (reason: unknown): void => void rejections.push(reason)
  process.on('unhandledRejection', note)
  onTestFinished(() => {
    process.off('unhandledRejection', note)
    expect(rejections).toEqual([])
  })
}

function expectUnavailable(answer: RawAnswer): void {
  expect(answer.status, answer.body).toBe(503)
  expect(answer.header('retry-after')).toBe('5')
}

onEachEngine((engine) => {
  const start = (store: Record<string, unknown> = {}): Promise<readonly [Front, Front]> =>
    startCluster({ url: engine(), store, managementApi })

  describe('with on_store_failure = "deny"', () => {
    it('answers 503 to tokens, logins and revocations, and to all others at once, and takes all up again by itself', async () => {
      noUnhandledRejection()
      const [front] = await start()
      const token = await front.login()
      for (let round = 0; round < 2; round++) {
        await engine().server.signal('SIGKILL')
        const answers = Array.from({ length: 100 }, (_, index) => {
          if (index % 3 === 0) return login(front, index % 2 === 0 ? 'not-the-password' : undefined)
          return get(front, '/inbound', token)
        })
        for (const answer of await Promise.all(answers)) expectUnavailable(answer)
        expect((await front.call('GET', '/inbound')).status).toBe(401)
        expect((await front.call('GET', '/public')).status).toBe(200)
        expect((await get(front, '/inbound', 'not-a-token')).status).toBe(401)
        await engine().server.start()
        await expect.poll(() => isIn(front, token), patience).toBe(200)
        expect((await login(front)).status).toBe(200)
      }
      const lost = front.entries.filter(({ message }) => message.startsWith('cannot use the database'))
      expect(lost.length).toBeGreaterThanOrEqual(2)
      expect(lost.length).toBeLessThan(12)
    })

    it('refuses a token in this process once its logout was answered 503, and ends it for all when that is repeated', async () => {
      const [first, second] = await start()
      const token = await first.login()
      for (const front of [first, second]) expect(await isIn(front, token)).toBe(200)
      await engine().server.signal('SIGKILL')
      expectUnavailable(await get(first, '/logout', token))
      await engine().server.start()
      await expect.poll(() => isIn(second, token), patience).toBe(200)
      await expect.poll(async () => (await get(first, '/logout', token)).status, patience).toBe(200)
      for (const front of [first, second]) expect(await isIn(front, token)).toBe(401)
    })

    it('answers every request in time while the server stands still, and goes on when it does', async () => {
      noUnhandledRejection()
      const [front] = await start()
      const token = await front.login()
      const resume = await engine().hold()
      try {
        const answers = Array.from({ length: 100 }, (_, index) =>
          get(front, index % 3 === 0 ? '/logout' : '/inbound', token),
        )
        expect((await front.call('GET', '/inbound')).status).toBe(401)
        for (const answer of await Promise.all(answers)) expect([401, 503]).toContain(answer.status)
        // Known to be away: no further request waits for it.
        const refusing = Array.from({ length: 50 }, () => login(front))
        for (const answer of await Promise.all(refusing)) expectUnavailable(answer)
      } finally {
        resume()
      }
      // The logout was answered with 503: it may have been executed, and is when it is repeated.
      await expect.poll(async () => (await get(front, '/logout', token)).status, patience).not.toBe(503)
      await expect.poll(() => isIn(front, token), patience).toBe(401)
      await expect.poll(async () => (await login(front)).status, patience).toBe(200)
    })

    it('starts without the database, and takes up everything when it is there', async () => {
      await engine().server.signal('SIGKILL')
      const [front] = await start()
      expectUnavailable(await login(front))
      await engine().server.start()
      await expect.poll(async () => (await login(front)).status, patience).toBe(200)
    })

    it('answers reads although every connection was cut off, and gives no answer twice', async () => {
      const [front, other] = await start()
      const token = await front.login()
      for (let round = 0; round < 5; round++) {
        await Promise.all(Array.from({ length: 20 }, () => isIn(front, token)))
        await engine().cutOff()
        const answers = await Promise.all(Array.from({ length: 20 }, () => isIn(front, token)))
        expect(answers).toEqual(answers.map(() => 200))
        const next = await login(other)
        expect([200, 503]).toContain(next.status)
      }
      await expect.poll(async () => (await login(other)).status, patience).toBe(200)
    })

    it('gives logins up in time while another session holds a lock, and heals', async () => {
      const [front] = await start()
      const unlock = await engine().lockTable('sallyport_token')
      const logins = await Promise.all(Array.from({ length: 12 }, () => login(front)))
      for (const answer of logins) expectUnavailable(answer)
      await unlock()
      await expect.poll(async () => (await login(front)).status, patience).toBe(200)
    })

    it('begins a login again that the database gave up in favour of another one, and not for ever', async () => {
      const [front] = await start()
      for (const [count, status] of [
        [2, 200],
        [3, 503],
      ] as const) {
        const stop = await giveUp(engine(), count)
        expect((await login(front)).status).toBe(status)
        await stop()
      }
      expect((await login(front)).status).toBe(200)
    })

    it('checks tokens while the disk is full, refuses logins, and heals', async () => {
      const [front] = await start()
      const token = await front.login()
      const makeRoom = await engine().fillDisk('sallyport_token')
      for (let count = 0; count < 3; count++) {
        expectUnavailable(await login(front))
        expect(await isIn(front, token)).toBe(200)
      }
      expect((await get(front, '/logout', token)).status).toBe(200)
      await makeRoom()
      expect((await login(front)).status).toBe(200)
    })

    it('admits nothing while the database takes no writes: another one may know better', async () => {
      if (!engine().datasource.url.includes('mariadb')) return
      const [front] = await start()
      const token = await front.login()
      await engine().run('SET GLOBAL read_only = 1')
      try {
        expectUnavailable(await get(front, '/inbound', token))
      } finally {
        await engine().run('SET GLOBAL read_only = 0')
      }
      await expect.poll(() => isIn(front, token), patience).toBe(200)
    })

    it('says of each login that the server was killed under whether it is good, or does not know', async () => {
      const [front, other] = await start()
      const kept = await front.login()
      const logins = Array.from({ length: 30 }, () => login(front))
      await delay(30)
      await engine().server.signal('SIGKILL')
      const answers = await Promise.all(logins)
      await engine().server.start()
      await expect.poll(() => isIn(other, kept), patience).toBe(200)
      for (const answer of answers) {
        if (answer.status === 200) {
          const { AccessToken } = answer.json<{ AccessToken: string }>()
          await expect.poll(() => isIn(other, AccessToken), patience).toBe(200)
        } else expectUnavailable(answer)
      }
    })
  })

  describe('with on_store_failure = "cached"', () => {
    const cached = { on_store_failure: 'cached', max_staleness_on_failure: '60s' }

    it('lets tokens pass that the process has checked, and no others, no login and no revocation', async () => {
      noUnhandledRejection()
      const [first, second] = await start(cached)
      const token = await first.login()
      const unknown = await second.login()
      const revoked = await first.login()
      for (const known of [token, revoked]) expect(await isIn(first, known)).toBe(200)
      expect((await get(first, '/logout', revoked)).status).toBe(200)
      await engine().server.signal('SIGKILL')
      for (let count = 0; count < 20; count++) expect(await isIn(first, token)).toBe(200)
      expect(await isIn(first, revoked)).not.toBe(200)
      expectUnavailable(await get(first, '/inbound', unknown))
      expectUnavailable(await login(first))
      expectUnavailable(await get(first, '/logout', token))
      expect(await isIn(first, token)).not.toBe(200)
      await engine().server.start()
      await expect.poll(async () => (await login(first)).status, patience).toBe(200)
    })

    it('does so no longer than it says', async () => {
      const [front] = await start({ ...cached, max_staleness_on_failure: '6s' })
      const token = await front.login()
      expect(await isIn(front, token)).toBe(200)
      const checkedAt = performance.now()
      await engine().server.signal('SIGKILL')
      let lastAdmittedAt = 0
      await expect
        .poll(async () => {
          const sentAt = performance.now()
          const status = await isIn(front, token)
          if (status === 200) lastAdmittedAt = sentAt
          return status
        }, patience)
        .toBe(503)
      await engine().server.start()
      expect(lastAdmittedAt).toBeGreaterThan(0)
      expect(lastAdmittedAt).toBeLessThanOrEqual(checkedAt + 6000)
      await expect.poll(() => isIn(front, token), patience).toBe(200)
    })

    it('lets nothing pass that was revoked at the other process before the outage and was asked about since', async () => {
      const [first, second] = await start(cached)
      const token = await first.login()
      expect(await isIn(second, token)).toBe(200)
      expect((await get(first, '/logout', token)).status).toBe(200)
      expect(await isIn(second, token)).toBe(401)
      await engine().server.signal('SIGKILL')
      expect(await isIn(second, token)).not.toBe(200)
      await engine().server.start()
      await expect.poll(async () => (await login(first)).status, patience).toBe(200)
    })
  })
})

/** Gives the next transactions up that add a token, as for a deadlock or a failed serialization. Sequences are not undone. */
async function giveUp(engine: SqlEngine, count: number): Promise<() => Promise<unknown>> {
  await engine.run('CREATE SEQUENCE attempts')
  if (engine.datasource.url.includes('postgresql')) {
    await engine.run(`CREATE FUNCTION give_up() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF nextval('attempts') <= ${count} THEN RAISE EXCEPTION 'deadlock' USING ERRCODE = '40P01'; END IF;
        RETURN NEW;
      END $$;
      CREATE TRIGGER give_up BEFORE INSERT ON sallyport_token FOR EACH ROW EXECUTE FUNCTION give_up()`)
    return () => engine.run('DROP FUNCTION give_up CASCADE; DROP SEQUENCE attempts')
  }
  await engine.run(`CREATE TRIGGER give_up BEFORE INSERT ON sallyport_token FOR EACH ROW
    IF NEXT VALUE FOR attempts <= ${count} THEN
      SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213, MESSAGE_TEXT = 'Deadlock found';
    END IF`)
  return () => engine.run('DROP TRIGGER give_up; DROP SEQUENCE attempts')
}
