/**
 * TLS of the servers that an app makes: one set of options for all of them, exchanged when the certificate changes.
 *
 * @module
 */

import type { X509Certificate } from 'node:crypto'
import type { Server, ServerOptions } from 'node:https'
import { createSecureContext } from 'node:tls'
import { inBackground } from '../async/background.js'
import type { Config } from '../config/config.js'
import { ConfigError, type ConfigProblem } from '../core/errors.js'
import type { Logger } from '../core/logger.js'
import type { PreparedChange } from '../core/prepared-change.js'
import {
  checkClient,
  createServerOptions,
  expiryWarning,
  loadServerMaterial,
  mayServeHttps,
  type ServerMaterial,
  serverKeyStore,
  serverMaterialState,
  tryOutMaterial,
} from './server-material.js'
import { isTryOutDue } from './try-out-certificate.js'

/** Options of {@link openServerTls}. */
export interface ServerTlsOptions {
  readonly logger: Logger
  readonly clock: () => number
  /** Folder of the self-signed certificate where the configuration comes from no file. */
  readonly home: string | undefined
  /** Says where in its file a configuration is wrong. */
  readonly locate: (error: ConfigError, config: Config) => Promise<ConfigError>
}

/** TLS of all servers of a front. */
export interface ServerTls {
  /**
   * Options for a new server. A self-signed certificate is made now, if the configuration has none.
   *
   * @throws `ConfigError` for what is wrong with the key stores.
   */
  start(): ServerOptions
  /** Keeps the certificate of a server up to date until it closes. */
  follow(server: Server): void
  /** Looks for a changed certificate at once. One that cannot be used is logged, and the old one stays. Never rejects. */
  check(): Promise<void>
  /**
   * Loads what another configuration names. The function it answers prepares the exchange at once, for the servers that follow
   * by then; it throws `ConfigError` where there are any and the key stores cannot be used.
   */
  load(next: Config): Promise<() => PreparedChange>
  /** What the servers show; `undefined` before the first. */
  certificate(): X509Certificate | undefined
  /** Stops looking for changes. */
  close(): void
}

/** How often changed files are looked for. It costs a few system calls. */
const checkIntervalMs = 1000

const dayMs = 24 * 60 * 60 * 1000

/** What servers show, and the options that make them show it. */
interface Served {
  readonly material: ServerMaterial
  readonly options: ServerOptions
  readonly isTryOut: boolean
}

/** Without `served`, the configuration has no key store, and a try-out certificate takes its place. */
interface Loaded {
  readonly config: Config
  readonly state: string
  readonly served?: Served
  readonly trusted?: ServerMaterial['trusted']
  readonly error?: unknown
}

/** Loads the key material of a configuration. What is wrong with it is told by `start`, when a server needs it. */
export async function openServerTls(
  initial: Config,
  { logger, clock, home, locate }: ServerTlsOptions,
): Promise<ServerTls> {
  let current = await load(initial)
  /** What the servers show; `undefined` before the first. */
  let served: Served | undefined
  let remindedAt = 0
  let timer: NodeJS.Timeout | undefined
  let checking: Promise<void> = Promise.resolve()
  let waiting = 0
  const servers = new Set<Server>()

  async function load(config: Config): Promise<Loaded> {
    if (!mayServeHttps(config)) return { config, state: '' }
    // Before reading, so that a change during it is noticed.
    const state = await serverMaterialState(config)
    try {
      const material = await loadServerMaterial(config, clock())
      if (!('key' in material)) return { config, state, trusted: material.trusted }
      return { config, state, served: { material, options: acceptedOptions(config, material), isTryOut: false } }
    } catch (error) {
      return { config, state, error: error instanceof ConfigError ? await locate(error, config) : error }
    }
  }

  /** What to serve. A try-out certificate never replaces the one of a key store, which clients trust. */
  function complete({ config, trusted, ...loaded }: Loaded): Served {
    if ('error' in loaded) throw loaded.error
    if (loaded.served !== undefined) return loaded.served
    if (servers.size > 0 && served?.isTryOut === false) {
      const { key, keyNames } = serverKeyStore(config)
      throw new ConfigError([{ key: `${key}.${keyNames.file}`, rule: 'names a file that is not there any more' }])
    }
    const material = tryOutMaterial(config, { trusted }, { home, now: clock() })
    return { material, options: acceptedOptions(config, material), isTryOut: true }
  }

  /** Existing connections keep the old certificate. */
  function show(next: Served): void {
    for (const server of servers) server.setSecureContext(next.options)
    served = next
  }

  function warn(warnings: readonly ConfigProblem[]): void {
    remindedAt = clock()
    for (const { key, rule } of warnings) logger.warn({ key }, `${key}: ${rule}`)
  }

  async function checkOnce(): Promise<void> {
    const seen = current
    const hasChanged = (await serverMaterialState(seen.config)) !== seen.state
    const next = hasChanged ? await load(seen.config) : seen
    // Another configuration was loaded meanwhile, with its own key material.
    if (current !== seen) return
    if (!hasChanged) return renewOrRemind()
    current = { ...seen, state: next.state }
    const shown = complete(next)
    show(shown)
    warn(shown.material.warnings)
    current = next
    const { fingerprint256: fingerprint } = shown.material.certificates[0]!
    logger.info({ fingerprint }, 'the certificate has changed and is in use')
  }

  /** Renews a try-out certificate that ends; warns of any other one that does, once a day. */
  function renewOrRemind(): void {
    const { material, isTryOut } = served!
    const now = clock()
    if (isTryOut) {
      if (!isTryOutDue(material.certificates[0]!, now)) return
      show(complete(current))
      warn(served!.material.warnings)
    } else if (now - remindedAt >= dayMs) {
      const rule = expiryWarning(material.certificates[0]!, now)
      if (rule !== undefined) warn([{ key: serverKeyStore(current.config).key, rule }])
    }
  }

  async function check(): Promise<void> {
    if (served === undefined) return
    try {
      await checkOnce()
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      logger.error({ cause: error }, `the changed certificate cannot be used, and the previous one stays: ${reason}`)
    }
  }

  /** Checks one after the other. */
  function enqueueCheck(): Promise<void> {
    waiting++
    checking = checking.then(check).finally(() => waiting--)
    return checking
  }

  return {
    start() {
      if (served === undefined) {
        served = complete(current)
        warn(served.material.warnings)
      }
      if ('error' in current) throw current.error
      return served.options
    },

    follow(server) {
      servers.add(server)
      server.once('close', () => servers.delete(server))
      server.on('secureConnection', checkClient)
      timer ??= setInterval(() => {
        if (waiting === 0) inBackground(enqueueCheck)
      }, checkIntervalMs).unref()
    },

    check: enqueueCheck,

    async load(next) {
      const prepared = await load(next)
      return () => {
        const mustServe = served !== undefined && (servers.size > 0 || !('error' in prepared))
        const shown = mustServe ? complete(prepared) : undefined
        return {
          swap() {
            current = prepared
            if (shown !== undefined) show(shown)
          },
          log() {
            if (shown !== undefined) warn(shown.material.warnings)
          },
        }
      }
    },

    certificate: () => served?.material.certificates[0],

    close() {
      clearInterval(timer)
      timer = undefined
    },
  }
}

/** The options of a server. @throws `ConfigError` for what only OpenSSL can refuse, such as a key that is too small. */
function acceptedOptions(source: Config, material: ServerMaterial): ServerOptions {
  const options = createServerOptions(source.tls, material)
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
