/**
 * TLS of the servers that an app makes: one set of options for all of them, exchanged when the certificate changes.
 *
 * @module
 */

import type { Server, ServerOptions } from 'node:https'
import { createSecureContext } from 'node:tls'
import { inBackground } from '../async/background.js'
import type { Config } from '../config/config.js'
import { ConfigError, type ConfigProblem } from '../core/errors.js'
import type { Logger } from '../core/logger.js'
import type { PreparedChange } from '../core/prepared-change.js'
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
   * Loads what another configuration names. The function it answers prepares the exchange at once, for the servers that follow
   * by then; it throws {@link ConfigError} where there are any and the key stores cannot be used.
   */
  load(next: Config): Promise<() => PreparedChange>
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

/** What servers show, and the options that make them show it. */
interface Served {
  readonly material: ServerMaterial
  readonly options: ServerOptions
  readonly isTryOut: boolean
}

/** Loads the key material of a configuration. What is wrong with it is told by `start`, when a server needs it. */
export async function openServerTls(
  initial: Config,
  { logger, clock, home, locate }: ServerTlsOptions,
): Promise<ServerTls> {
  let config = initial
  let loaded = await load(initial)
  /** What the servers show; `undefined` before the first. */
  let served: Served | undefined
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
      const material = await loadServerMaterial(source, clock())
      if ('key' in material) acceptedOptions(source, material)
      return { material, state }
    } catch (error) {
      return { error: error instanceof ConfigError ? await locate(error, source) : error, state }
    }
  }

  /** The material to serve. Where there is none, a try-out certificate takes its place. */
  function complete(source: Config, loadedMaterial: LoadedMaterial): Served {
    const isTryOut = !('key' in loadedMaterial)
    const material = isTryOut ? tryOutMaterial(source, loadedMaterial, { home, now: clock() }) : loadedMaterial
    return { material, options: acceptedOptions(source, material), isTryOut }
  }

  /** Every server shows the new certificate to the next client; connections and handshakes under way keep the old one. */
  function show(next: Served): void {
    for (const server of servers) server.setSecureContext(next.options)
    served = next
  }

  function exchange(next: Served): void {
    show(next)
    warn(next.material.warnings)
  }

  function warn(warnings: readonly ConfigProblem[]): void {
    remindedAt = clock()
    for (const { key, rule } of warnings) logger.warn({ key }, `${key}: ${rule}`)
  }

  async function look(): Promise<void> {
    const source = config
    const state = await serverMaterialState(source)
    // Another configuration was taken over meanwhile, with its own key material.
    if (source !== config) return
    const { material, isTryOut } = served!
    if (state !== loaded.state) await takeChange()
    else if (isTryOut && isTryOutDue(material.certificates[0]!, clock()))
      exchange(complete(source, { trusted: material.trusted }))
    else remind()
  }

  async function takeChange(): Promise<void> {
    const source = config
    const next = await load(source)
    if (source !== config) return
    loaded = { ...loaded, state: next.state }
    if ('error' in next) throw next.error
    demandKeyStore(source, next.material)
    exchange(complete(source, next.material))
    loaded = next
    logger.info(
      { fingerprint: served!.material.certificates[0]!.fingerprint256 },
      'the certificate has changed and is in use',
    )
  }

  /** Clients that trust the certificate of a key store would not trust one for trying out. */
  function demandKeyStore(source: Config, material: LoadedMaterial): void {
    if (served?.isTryOut || 'key' in material) return
    const { key, keyNames } = serverKeyStore(source)
    throw new ConfigError([{ key: `${key}.${keyNames.file}`, rule: 'names a file that is not there any more' }])
  }

  /** A warning at the start alone is forgotten by the time the certificate ends. */
  function remind(): void {
    const now = clock()
    const { material, isTryOut } = served!
    const rule = isTryOut || now - remindedAt < dayMs ? undefined : expiryWarning(material.certificates[0]!, now)
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
    checking = checking.then(check).finally(() => waiting--)
    return checking
  }

  return {
    start() {
      if ('error' in loaded) throw loaded.error
      if (served === undefined) {
        served = complete(config, loaded.material)
        warn(served.material.warnings)
      }
      return served.options
    },

    follow(server) {
      servers.add(server)
      server.once('close', () => servers.delete(server))
      server.on('secureConnection', judgeClient)
      timer ??= setInterval(() => {
        if (waiting === 0) inBackground(soon)
      }, checkIntervalMs).unref()
    },

    check: soon,

    async load(next) {
      const prepared = await load(next)
      return () => {
        if (servers.size > 0 && 'error' in prepared) throw prepared.error
        if (servers.size > 0 && 'material' in prepared) demandKeyStore(next, prepared.material)
        const shown = served === undefined || 'error' in prepared ? undefined : complete(next, prepared.material)
        return {
          swap() {
            config = next
            loaded = prepared
            if (shown !== undefined) show(shown)
          },
          log() {
            if (shown !== undefined) warn(shown.material.warnings)
          },
        }
      }
    },

    close() {
      clearInterval(timer)
      timer = undefined
    },
  }
}

/**
 * The options of a server.
 *
 * @throws {@link ConfigError} for what only OpenSSL can refuse, such as a key that is too small.
 */
function acceptedOptions(source: Config, material: ServerMaterial): ServerOptions {
  const options = serverOptionsOf(source.tls, material)
  try {
    createSecureContext(options)
  } catch (cause) {
    const { key, keyNames } = serverKeyStore(source)
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ConfigError(
      [{ key: `${key}.${keyNames.file}`, rule: `names a key store that OpenSSL refuses: ${reason}` }],
      { cause },
    )
  }
  return options
}
