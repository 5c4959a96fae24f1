/**
 * TLS of the servers that an app makes: one set of options for all of them, exchanged when the certificate changes.
 *
 * @module
 */

import type { Server, ServerOptions } from 'node:https'
import { createSecureContext } from 'node:tls'
import type { Config } from '../config/config.js'
import { ConfigError, type ConfigProblem } from '../core/errors.js'
import type { Logger } from '../core/logger.js'
import {
  expiryWarning,
  loadServerMaterial,
  mayServeHttps,
  type ServerMaterial,
  serverKeyStore,
  serverMaterialState,
  tryOutMaterial,
} from './server-material.js'
import { judgeClient, serverOptionsOf } from './tls-options.js'
import { isTryOutDue } from './try-out-certificate.js'

/** Options of {@link openServerTls}. */
export interface ServerTlsOptions {
  readonly logger: Logger
  readonly clock: () => number
  /** Folder of the try-out certificate where the configuration comes from no file. */
  readonly home: string | undefined
  /** Says where in its file a configuration is wrong. */
  readonly locate: (error: ConfigError, config: Config) => Promise<ConfigError>
}

/** TLS of all servers of a front. */
export interface ServerTls {
  /**
   * Options for a new server. A try-out certificate is made now, if the configuration has none.
   *
   * @throws {@link ConfigError} for what is wrong with the key stores.
   */
  start(): ServerOptions
  /** Keeps the certificate of a server up to date until it closes. */
  follow(server: Server): void
  /** Looks for a changed certificate at once. One that cannot be used is logged, and the old one stays. Never rejects. */
  check(): Promise<void>
  /**
   * Loads what another configuration names. The function it answers exchanges it.
   *
   * @throws {@link ConfigError} while a server follows and the key stores cannot be used.
   */
  prepare(next: Config): Promise<() => void>
  /** Stops looking for changes. */
  close(): void
}

/** How often changed files are looked for. It costs a few system calls. */
const checkIntervalMs = 1000

const dayMs = 24 * 60 * 60 * 1000

/** What could be loaded, or why nothing could. */
type Loaded =
  | { readonly material: LoadedMaterial; readonly state: string }
  | { readonly error: unknown; readonly state: string }
type LoadedMaterial = Awaited<ReturnType<typeof loadServerMaterial>>

/** Loads the key material of a configuration. What is wrong with it is told by `start`, when a server needs it. */
export async function openServerTls(
  initial: Config,
  { logger, clock, home, locate }: ServerTlsOptions,
): Promise<ServerTls> {
  let config = initial
  let loaded = await load(initial)
  /** What the servers show; `undefined` before the first. */
  let served: ServerMaterial | undefined
  let isTryOut = false
  let remindedAt = 0
  let timer: NodeJS.Timeout | undefined
  let checking: Promise<void> = Promise.resolve()
  let waiting = 0
  const servers = new Set<Server>()

  async function load(source: Config): Promise<Loaded> {
    if (!mayServeHttps(source)) return { material: { trusted: undefined }, state: '' }
    // Before reading: a change while the files are read is one more change.
    const state = await serverMaterialState(source)
    try {
      return { material: await loadServerMaterial(source, clock()), state }
    } catch (error) {
      return { error: error instanceof ConfigError ? await locate(error, source) : error, state }
    }
  }

  /** The material to serve. Where there is none, a try-out certificate takes its place. */
  function complete(source: Config, material: LoadedMaterial): ServerMaterial {
    isTryOut = !('key' in material)
    return 'key' in material ? material : tryOutMaterial(source, material, { home, now: clock() })
  }

  /** Every server shows the new certificate to the next client; connections and handshakes under way keep the old one. */
  function exchange(source: Config, material: ServerMaterial): void {
    const options = serverOptionsOf(source.tls, material)
    // A key that OpenSSL refuses throws here, before the first server has it.
    createSecureContext(options)
    for (const server of servers) server.setSecureContext(options)
    served = material
    warn(material.warnings)
  }

  function warn(warnings: readonly ConfigProblem[]): void {
    remindedAt = clock()
    for (const { key, rule } of warnings) logger.warn({ key }, `${key}: ${rule}`)
  }

  async function look(): Promise<void> {
    const state = await serverMaterialState(config)
    if (state !== loaded.state) await takeChange()
    else if (isTryOut && isTryOutDue(served!.certificates[0]!, clock()))
      exchange(config, complete(config, { trusted: served!.trusted }))
    else remind()
  }

  async function takeChange(): Promise<void> {
    const source = config
    const next = await load(source)
    // Another configuration was taken over meanwhile, with its own key material.
    if (source !== config) return
    loaded = { ...loaded, state: next.state }
    if ('error' in next) throw next.error
    demandKeyStore(source, next.material)
    exchange(source, complete(source, next.material))
    loaded = next
    logger.info({ fingerprint: served!.certificates[0]!.fingerprint256 }, 'the certificate has changed and is in use')
  }

  /** Clients that trust the certificate of a key store would not trust one for trying out. */
  function demandKeyStore(source: Config, material: LoadedMaterial): void {
    if (isTryOut || 'key' in material) return
    const { key, keyNames } = serverKeyStore(source)
    throw new ConfigError([{ key: `${key}.${keyNames.file}`, rule: 'names a file that is not there any more' }])
  }

  /** A warning at the start alone is forgotten by the time the certificate ends. */
  function remind(): void {
    const now = clock()
    const rule = isTryOut || now - remindedAt < dayMs ? undefined : expiryWarning(served!.certificates[0]!, now)
    if (rule !== undefined) warn([{ key: serverKeyStore(config).key, rule }])
  }

  async function check(): Promise<void> {
    if (served === undefined) return
    try {
      await look()
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      logger.error({ cause: error }, `the changed certificate cannot be used, and the previous one stays: ${reason}`)
    }
  }

  /** One look after the other. */
  function soon(): Promise<void> {
    waiting++
    checking = checking.then(check).finally(() => void waiting--)
    return checking
  }

  return {
    start() {
      if ('error' in loaded) throw loaded.error
      if (served === undefined) {
        served = complete(config, loaded.material)
        warn(served.warnings)
      }
      return serverOptionsOf(config.tls, served)
    },

    follow(server) {
      servers.add(server)
      server.once('close', () => void servers.delete(server))
      server.on('secureConnection', judgeClient)
      timer ??= setInterval(() => {
        if (waiting === 0) void soon()
      }, checkIntervalMs).unref()
    },

    check: soon,

    async prepare(next) {
      const prepared = await load(next)
      if (servers.size > 0 && 'error' in prepared) throw prepared.error
      if (servers.size > 0 && 'material' in prepared) demandKeyStore(next, prepared.material)
      return () => {
        config = next
        loaded = prepared
        if (served !== undefined && 'material' in prepared) exchange(next, complete(next, prepared.material))
      }
    },

    close() {
      clearInterval(timer)
      timer = undefined
    },
  }
}
