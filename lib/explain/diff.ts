/**
 * Which requests another configuration lets in or refuses: one of each class is put to the gates of both.
 *
 * @module
 */

import type { Express, RequestHandler } from 'express'
import type { Security } from '../app/security.js'
import type { WireSecurity } from '../app/wired-security.js'
import type { Config } from '../config/config.js'
import type { HttpErrorCode, Origin } from '../core/errors.js'
import { type AddressClass, addressClasses } from './address-classes.js'
import { assertFewAddresses, createPace, type Pace } from './pace.js'
import { managementPaths, outerPaths, type PathClass, type Rights, rightsFor } from './path-classes.js'
import type { HeaderLine } from './request.js'
import { type Answer, type CredentialKind, Sandbox, type SandboxParts } from './sandbox.js'

/** A request, and what it gets from one of two configurations. */
export interface DiffAnswer {
  readonly outcome: Answer['outcome']
  readonly status: number | undefined
  readonly code: HttpErrorCode | undefined
  /** The rule that refuses it. */
  readonly rule: Origin | undefined
}

/** Requests that only one of two configurations lets in. */
export interface AccessChange {
  readonly effect: 'let in' | 'refused'
  /** `managementApi`, `webApps`, or `portal` and its name. */
  readonly mount: string
  /** What the callers come with; `undefined`: nothing. */
  readonly kind: CredentialKind | undefined
  /** Who they are. */
  readonly callers: readonly Rights[]
  /** The methods; a name that no rule has stands for all that have none. */
  readonly methods: readonly string[]
  readonly paths: readonly string[]
  readonly addresses: readonly string[]
  /** One of the requests. */
  readonly example: {
    readonly method: string
    readonly path: string
    readonly address: string
    readonly caller: Rights | undefined
  }
  readonly before: DiffAnswer
  readonly after: DiffAnswer
}

/** One of the two configurations. */
interface Side {
  readonly config: Config
  readonly sandbox: Sandbox
  readonly headers: Map<CredentialKind, readonly HeaderLine[]>
}

interface Area {
  readonly mount: string
  readonly portal: string | undefined
  readonly kinds: readonly CredentialKind[]
  readonly paths: readonly PathClass[]
  readonly addresses: readonly AddressClass[]
  readonly make: (security: Security) => RequestHandler
}

/** The name of the caller of all requests. */
const callerName = 'somebody'

/** How a server compares, beside all that it does. */
export interface DiffOptions {
  /** Whose prototypes the requests have. @defaultValue a new one */
  readonly app?: Express | undefined
  /** As {@link SandboxParts}. */
  readonly usesFileUsers?: boolean | undefined
  /** How long it may take, in milliseconds. @defaultValue as long as it takes */
  readonly maxMs?: number | undefined
}

/**
 * Compares two configurations. Newly let in comes before newly refused, in the order of the mounts.
 *
 * @throws `ComparisonTooLong`, by rejecting, after `maxMs`.
 */
export async function diffConfigs(
  before: Config,
  after: Config,
  wire: WireSecurity,
  { app, usesFileUsers, maxMs }: DiffOptions = {},
): Promise<readonly AccessChange[]> {
  const requestApp = app ?? (await import('express')).default()
  const pace = createPace(maxMs)
  if (maxMs !== undefined) assertFewAddresses(before, after)
  const sides = await Promise.all([before, after].map((config) => openSide(config, { wire, usesFileUsers })))
  try {
    const changes: AccessChange[] = []
    for (const area of await areasFrom(before, after, pace))
      changes.push(...(await changesIn(area, requestApp, sides, pace)))
    return [...changes].sort((a, b) => Number(a.effect === 'refused') - Number(b.effect === 'refused'))
  } finally {
    await Promise.all(sides.map(({ sandbox }) => sandbox.close()))
  }
}

async function openSide(config: Config, parts: SandboxParts): Promise<Side> {
  return { config, sandbox: await Sandbox.open(config, parts), headers: new Map() }
}

async function areasFrom(before: Config, after: Config, pace: Pace): Promise<readonly Area[]> {
  const configs = [before, after]
  const kinds = (['token', 'basic'] as const).filter((kind) =>
    configs.some(({ managementApi: api }) => (kind === 'token' ? api.isJwtEnabled : api.isBasicEnabled)),
  )
  const management: Area = {
    mount: 'managementApi',
    portal: undefined,
    kinds,
    paths: await managementPaths(before, after, pace),
    addresses: addressClasses(configs.flatMap(({ managementApi }) => managementApi.allowedNetworks ?? [])),
    make: (security) => security.managementApi(),
  }
  const outerItems = configs.flatMap(({ webAppAddresses, servletFilters }) => [
    ...(webAppAddresses ?? []),
    ...servletFilters.flatMap(({ allow = [], deny = [] }) => [...allow, ...deny]),
  ])
  const outer = outerPaths(configs.flatMap(({ servletFilters }) => servletFilters.map(({ urlPattern }) => urlPattern)))
  const webApps: Area = {
    mount: 'webApps',
    portal: undefined,
    kinds: [],
    paths: outer.map((path) => ({ ...path, callers: [] })),
    addresses: addressClasses(outerItems),
    make: (security) => security.webApps(),
  }
  const names = new Set(before.portals.map(({ name }) => name))
  const portals = after.portals
    .filter(({ name }) => names.has(name))
    .map(({ name }): Area => {
      const own = configs.flatMap((config) => config.portals.filter((portal) => portal.name === name))
      const consoleItems =
        name === 'management_console' ? configs.flatMap((config) => config.adminConsoleAddresses ?? []) : []
      const roles = [...new Set(own.flatMap((portal) => portal.roles ?? []))]
      const sets = own.flatMap((portal) => (portal.roles === undefined ? [] : [portal.roles]))
      return {
        mount: `portal ${name}`,
        portal: name,
        kinds: [`session of ${name}`],
        paths: outer.map((path) => ({ ...path, callers: rightsFor(roles, sets) })),
        addresses: addressClasses([...outerItems, ...consoleItems, ...own.flatMap(({ allow = [] }) => allow)]),
        make: (security) => security.portal(name),
      }
    })
  return [management, ...portals, webApps]
}

async function changesIn(
  area: Area,
  app: Express,
  sides: readonly Side[],
  pace: Pace,
): Promise<readonly AccessChange[]> {
  const handlers = sides.map(({ sandbox }) => area.make(sandbox.security))
  await Promise.all(sides.flatMap((side) => area.kinds.map((kind) => signIn(side, kind))))

  const askBoth: AskBoth = async ({ method, example }, address, kind, rights) => {
    await pace()
    const answers: Answer[] = []
    for (const [index, side] of sides.entries()) {
      const { sandbox, headers } = side
      if (rights !== undefined) sandbox.become({ name: callerName, ...rights })
      const own = kind === undefined ? [] : headers.get(kind)!
      const facts = { method, url: example, headers: [...browserHeaders, ...own], address, isSecure: true }
      const answer = await sandbox.ask(facts, app, handlers[index])
      answers.push(answer)
      // It may have been a logout.
      if (answer.outcome === 'answered' && kind !== undefined) await signIn(side, kind)
    }
    return answers
  }

  const byAddress = new Map<string, Map<string, AddressClass[]>>()
  const changes = new Map<string, AccessChange>()
  for (const path of area.paths) {
    const groups = byAddress.get(path.addressKey) ?? (await groupAddresses(area, path, askBoth))
    byAddress.set(path.addressKey, groups)
    for (const classes of groups.values()) {
      for (const [kind, callers] of callersOf(area, path)) {
        for (const rights of callers) {
          const [before, after] = await askBoth(path, classes[0]!.example, kind, rights)
          if (isIn(before!) === isIn(after!)) continue
          note(changes, { area, path, classes, kind, rights, before: before!, after: after! })
        }
      }
    }
  }
  return mergeChanges([...changes.values()])
}

/** As of a page of the same site. */
const browserHeaders: readonly HeaderLine[] = [
  ['Host', 'localhost'],
  ['Sec-Fetch-Site', 'same-origin'],
]

async function signIn({ sandbox, headers }: Side, kind: CredentialKind): Promise<void> {
  headers.set(kind, await sandbox.credentialOf(kind, { name: callerName, roles: [], isAdmin: false }))
}

/** Changes that differ by their methods only are one, and then those that differ by their paths only. */
function mergeChanges(changes: readonly AccessChange[]): readonly AccessChange[] {
  const merge = (list: readonly AccessChange[], field: 'methods' | 'paths'): readonly AccessChange[] => {
    const merged = new Map<string, AccessChange>()
    for (const change of list) {
      const key = JSON.stringify({ ...change, [field]: undefined, example: undefined })
      const known = merged.get(key)
      const values = [...new Set([...(known ?? change)[field], ...change[field]])]
      merged.set(key, { ...(known ?? change), [field]: values })
    }
    return [...merged.values()]
  }
  return merge(merge(changes, 'methods'), 'paths')
}

type AskBoth = (
  path: PathClass,
  address: string,
  kind: CredentialKind | undefined,
  rights: Rights | undefined,
) => Promise<readonly Answer[]>

/** The addresses by what the two sides say of them; without those that both refuse. */
async function groupAddresses(area: Area, path: PathClass, askBoth: AskBoth): Promise<Map<string, AddressClass[]>> {
  const groups = new Map<string, AddressClass[]>()
  for (const one of area.addresses) {
    const answers = await askBoth(path, one.example, undefined, undefined)
    const refused = answers.map(({ code }) => code === 'ERR_IP_NOT_ALLOWED')
    if (refused.every(Boolean)) continue
    const key = refused.join()
    groups.set(key, [...(groups.get(key) ?? []), one])
  }
  return groups
}

function callersOf(
  { kinds }: Area,
  { callers }: PathClass,
): readonly (readonly [CredentialKind | undefined, readonly (Rights | undefined)[]])[] {
  return [[undefined, [undefined]], ...kinds.map((kind) => [kind, callers] as const)]
}

/** Whether it is let in: a way to the login page is none. */
function isIn({ outcome, status }: Answer): boolean {
  return outcome === 'passed' || (outcome === 'answered' && status !== 303)
}

interface Found {
  readonly area: Area
  readonly path: PathClass
  readonly classes: readonly AddressClass[]
  readonly kind: CredentialKind | undefined
  readonly rights: Rights | undefined
  readonly before: Answer
  readonly after: Answer
}

/** Adds a change; those of one rule, that differ by their callers only, are one. */
function note(changes: Map<string, AccessChange>, { area, path, classes, kind, rights, before, after }: Found): void {
  const effect = isIn(after) ? 'let in' : 'refused'
  const key = JSON.stringify([effect, kind, path.key, classes[0]!.example])
  const known = changes.get(key)
  const { method, example } = path
  const change: AccessChange = known ?? {
    effect,
    mount: area.mount,
    kind,
    callers: [],
    methods: path.methods,
    paths: path.texts,
    addresses: classes.length === area.addresses.length ? ['every address'] : classes.map(({ text }) => text),
    example: { method, path: example, address: classes[0]!.example, caller: rights },
    before: answerFrom(before),
    after: answerFrom(after),
  }
  changes.set(key, rights === undefined ? change : { ...change, callers: [...change.callers, rights] })
}

function answerFrom({ outcome, status, code, refusedBy }: Answer): DiffAnswer {
  return { outcome, status, code, rule: refusedBy?.origin }
}
