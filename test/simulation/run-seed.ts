/** One run: a seed makes a setting, a history and a verdict. */

import { Random } from '../../fuzz/random.js'
import { Cluster } from './cluster.js'
import { Faults } from './faults.js'
import { Instance } from './instance.js'
import { LuaRunner } from './lua.js'
import { Network } from './network.js'
import { Observer, type Violation } from './observer.js'
import { settingFrom } from './setting.js'
import { assertSettles, exchangeGlobals, type Host, World } from './virtual-time.js'

/** Milliseconds after the last fault within which every process works again. */
const recoveryMs = 2500

/** Milliseconds for whatever is under way to end. */
const restMs = 1100

/** A process has no more connections than two pairs, of which one is being opened. */
const maxConnections = 4

export interface Result {
  readonly seed: number
  /** Of the history: the same for each run of this seed. */
  readonly digest: number
  readonly violations: readonly Violation[]
  readonly counts: Readonly<Record<string, number>>
}

/** Runs histories in a turn of the event loop of its own. From now on the clocks of this process are virtual while one runs. */
export async function prepareRuns(): Promise<
  (work: (run: (seed: number, lines?: string[]) => Result) => void) => Promise<void>
> {
  exchangeGlobals()
  const lua = await LuaRunner.create()
  return (work) => {
    return new Promise((resolve, reject) => {
      setImmediate(() => {
        try {
          assertSettles()
          work((seed, lines) => runSeed(seed, lua, lines))
          resolve()
        } catch (error) {
          reject(error)
        }
      })
    })
  }
}

/** `lines` gets all of the history. */
function runSeed(seed: number, lua: LuaRunner, lines?: string[]): Result {
  const random = new Random(seed)
  // Neighbours would begin alike.
  for (let count = 0; count < 3; count++) random.below(2)
  const setting = settingFrom(random)
  lines?.push(`seed ${seed}: ${JSON.stringify(setting)}`)
  const world = new World(random, lines)
  const network = new Network(world, setting.conditions)
  const cluster = new Cluster(world, lua, network, setting)
  const observer = new Observer(world, setting, cluster)
  const instances = Array.from({ length: setting.processes }, (_, index) => {
    return new Instance(`app${index}`, world, setting, cluster, network, observer)
  })
  const onRejection = (reason: unknown): void => {
    observer.fail('g', `a rejection that nobody handles: ${String((reason as Error)?.stack ?? reason)}`)
  }
  process.on('unhandledRejection', onRejection)
  try {
    const faults = new Faults(world, setting, cluster, network, instances)
    faults.start()
    for (const instance of instances) {
      world.arrive(instance, 0, () => void instance.start())
      sendRequests(instance, world, observer, setting, faults)
    }
    const phase = (end: number): boolean => {
      for (let now = world.now; now < end && observer.violations.length === 0; now = world.now) {
        world.runUntil(Math.min(end, now + 250))
        for (const instance of instances) assertFewConnections(instance, network, observer)
      }
      return observer.violations.length === 0
    }
    if (phase(setting.durationMs + recoveryMs) && testRecovery(instances, world, observer, phase)) {
      end(instances, world, network, observer, phase)
    }
  } finally {
    process.off('unhandledRejection', onRejection)
  }
  return { seed, digest: world.digest, violations: observer.violations, counts: observer.counts }
}

function sendRequests(
  instance: Instance,
  world: World,
  observer: Observer,
  setting: ReturnType<typeof settingFrom>,
  faults: Faults,
): void {
  const { random } = world
  const at = world.now + world.between(0, setting.requestMs)
  if (at >= setting.durationMs) return
  world.arrive(instance, at, () => {
    const isReader = setting.hasReaders && instance.name !== 'app0'
    const isChange = sendRequest(
      instance,
      isReader && !random.oneIn(setting.hasPartition ? 200 : 20),
      random,
      observer,
      setting,
    )
    faults.strikeSoon(isChange)
    sendRequests(instance, world, observer, setting, faults)
  })
}

/** Whether it is a request that ends something. */
function sendRequest(
  instance: Instance,
  isRead: boolean,
  random: Random,
  observer: Observer,
  setting: ReturnType<typeof settingFrom>,
): boolean {
  const { tokens, known, codes } = observer
  const subject = `user${random.below(setting.users)}`
  const dice = random.below(100)
  if (isRead && known.length > 0) {
    const passed = [...instance.passed].slice(-4)
    void instance.use(random.oneOf(passed.length === 0 ? known.slice(-4) : passed))
  } else if (setting.hasOauth && random.oneIn(4)) {
    const code = codes.length === 0 || random.oneIn(4) ? undefined : random.oneOf(codes.slice(-4))
    if (code === undefined) void instance.grant(subject)
    else void (random.oneIn(6) ? instance.endGrant(code) : instance.consume(code))
    return code !== undefined
  } else if (dice < 2) void instance.publish(subject)
  else if (dice < 6) void instance.assertCurrent()
  else if (known.length === 0 || dice < 18) void instance.logIn(subject)
  else if (dice === 99) void instance.use(random.oneOf(tokens))
  else {
    const token = random.oneOf(random.oneIn(4) ? known : known.slice(-6))
    if (dice < 25) void (dice < 22 ? instance.revoke(token) : instance.revokeUser(token.subject))
    else void instance.use(token)
    return dice < 25
  }
  return false
}

/** Whatever has happened: each process lets users in again, and all know of it. */
function testRecovery(
  instances: readonly Instance[],
  world: World,
  observer: Observer,
  phase: (end: number) => boolean,
): boolean {
  for (const instance of instances) {
    world.arrive(instance, world.now, async () => {
      if ((await instance.logIn('survivor')) !== 'passed')
        return observer.fail('h', `${instance.name} does not work again`)
      const token = observer.tokens.findLast((one) => one.subject === 'survivor' && one.addedAt === world.now)
      if (token !== undefined && (await instance.use(token)) === 'unavailable')
        observer.fail('h', `${instance.name} does not check again`)
    })
  }
  return phase(world.now + restMs)
}

/** A closed process leaves nothing behind. */
function end(
  instances: readonly Instance[],
  world: World,
  network: Network,
  observer: Observer,
  phase: (end: number) => boolean,
): void {
  for (const instance of instances) world.arrive(instance, world.now, () => void instance.store.close())
  if (!phase(world.now + restMs)) return
  for (const instance of instances) {
    const timers = world.timers.get(instance as Host)?.size ?? 0
    if (timers > 0) observer.fail('d', `${instance.name} has ${timers} timers after its end`)
  }
  if (network.connections.size > 0) observer.fail('d', `${network.connections.size} connections were left open`)
}

function assertFewConnections(instance: Instance, network: Network, observer: Observer): void {
  let count = 0
  for (const { client } of network.connections) if (client === instance) count++
  if (count > maxConnections) observer.fail('d', `${instance.name} has ${count} connections`)
}
