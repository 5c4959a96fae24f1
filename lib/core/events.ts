/**
 * Typed audit events: what happened, for an audit trail or an alarm.
 *
 * @module
 */

import { EventEmitter } from 'node:events'
import { inBackground } from '../async/background.js'
import type { RecordKind } from '../tokens/token-store.js'
import type { AuthKind, Factor } from './auth.js'
import { type HttpErrorCode, type Position, withHelp } from './errors.js'
import type { ByCall, ByUser, ClientRefusal, FromClient, LoginRefusal, Occurrence } from './event-members.js'
import { defaultLogger, type Logger, safeLogger } from './logger.js'

export {
  type ChangeContext,
  type Client,
  type ClientRefusal,
  changedBy,
  type LoginRefusal,
  pickClient,
  type RequestCorrelation,
} from './event-members.js'

/** The events of {@link SecurityEvents} and what each of them carries. No event carries a password or a usable token. */
export interface SecurityEventMap {
  /** A user logged in. */
  login: FromClient & {
    /** Who logged in, as {@link UserAccount.subject}. */
    readonly subject: string
    /** Id of the new token, a digest; `undefined` for Basic, which has none. */
    readonly tokenId: string | undefined
    /** A token of this kind was issued, or Basic was accepted. */
    readonly kind: AuthKind
    /** What the user has shown, where that is known. */
    readonly factors?: readonly Factor[] | undefined
    /** Who acts as this user from now on; absent for everybody else. */
    readonly impersonator?: string | undefined
  }
  /** A login was refused. */
  loginRefused: FromClient & {
    /** What the client typed, known or not; empty without a name. At an identity provider: who has signed in there, else its name. */
    readonly userName: string
    /** What was wrong with it. */
    readonly reason: LoginRefusal
    /** What the login was for; absent where that is not known. */
    readonly kind?: AuthKind | undefined
    /** The private reason: why a store or an identity provider failed, or gives a user no role. */
    readonly cause?: unknown
  }
  /** An OAuth client that showed a secret was refused. */
  clientRefused: FromClient & {
    /** The client id that was sent, known or not. */
    readonly clientId: string
    /** What was wrong with it. */
    readonly reason: ClientRefusal
  }
  /** A user logged out: the token is dead. */
  logout: FromClient & {
    /** Whose token it was. */
    readonly subject: string
    /** Id of the token that ended, as the `login` event gave it. */
    readonly tokenId: string
    /** Who acted as this user; absent for everybody else. */
    readonly impersonator?: string | undefined
  }
  /** A gate refused a request. */
  refusal: FromClient & {
    /** What stands on the page that was the answer; `undefined` for any other answer. */
    readonly reference?: string | undefined
    /** Of the request, as sent. */
    readonly method: string
    /** With the mount and without the query, which may hold secrets. */
    readonly path: string
    /** Status code of the answer. */
    readonly status: number
    /** Why, as the answer says it. */
    readonly code: HttpErrorCode
    /** Key of the rule in the configuration, or of the option, that refused; `undefined` where no rule did. */
    readonly rule?: string | undefined
    /** Where the rule stands; `undefined` where the configuration is no file. */
    readonly position?: Position | undefined
    /** The caller; `undefined` when nobody was authenticated. */
    readonly subject: string | undefined
    /** Who acts as the caller; absent for everybody else. */
    readonly impersonator?: string | undefined
    /** The private reason, for 5xx answers. */
    readonly cause: unknown
  }
  /** A live token was evicted by another. */
  eviction: Occurrence & {
    /** Whose token was evicted. */
    readonly subject: string
    /** Id of the token that ended, as the `login` event gave it. */
    readonly tokenId: string
    /** What the token was good for. */
    readonly kind: RecordKind
  }
  /** A token, or all tokens of a user, were revoked: by a call of the app's, or because the user was changed through `/users`. */
  revocation: ByCall & {
    /** Whose tokens were revoked; `undefined` when the store could not tell whose token it was. */
    readonly subject: string | undefined
    /** Id of the one token that ended; `undefined`: all of the user. */
    readonly tokenId: string | undefined
    /** What that one token was good for; `undefined` for all of a user, and when the store could not tell. */
    readonly kind?: RecordKind | undefined
    /** Tokens that ended, of every kind; 0 when the user had none. */
    readonly count: number
  }
  /** Failed logins have begun to lock others out. One event until a window has passed without. */
  lock: FromClient & {
    /** What the client typed at the last of them. */
    readonly userName: string
    /** The user whom the store found; `undefined` when there is none. */
    readonly subject: string | undefined
    /**
     * Which logins are meant: those of this user from this address, of this user from wherever there was no good login lately, or
     * of all users from this address.
     */
    readonly scope: 'pair' | 'user' | 'source'
    /** How long a pair is locked. For the other two, how long until the next try is taken, and about the time between all further ones. */
    readonly seconds: number
  }
  /** The login locks of a user, or of an address, were ended. */
  unlock: ByCall & {
    /** As it was given; empty where those of an address were ended. */
    readonly userName: string
    /** The address whose locks were ended; `undefined`: those of a user. */
    readonly source?: string | undefined
  }
  /** Another configuration was taken over. */
  reload: ByCall & {
    /** Path of the file; `undefined` for an object. */
    readonly file: string | undefined
    /** Tables with other values than before, such as `management_api.cors`; none when only files that it names have changed. */
    readonly changed: readonly string[]
  }
  /** A configuration was not taken over: all is as it was. */
  reloadRefused: ByCall & {
    /** Path of the file; `undefined` for an object. */
    readonly file: string | undefined
    /** Mistakes that were found; 0 where something else has failed. */
    readonly problems: number
    /** What was wrong. It names files, keys and rules. */
    readonly cause: unknown
  }
  /** An administrator searched the audit trail. One event for the same search in ten minutes. */
  auditRead: ByUser & {
    /** What was searched for, as `name=value`. */
    readonly query: readonly string[]
  }
  /** A user was added. */
  userAdded: ByCall & {
    /** The new user. */
    readonly subject: string
    /** Whether the user was added as an administrator. */
    readonly isAdmin: boolean
  }
  /** A user was removed: all tokens of the user are dead. */
  userRemoved: ByCall & {
    /** The user who is gone. */
    readonly subject: string
  }
  /** A user's password was changed, by the user or by an administrator: all tokens of the user are dead. */
  passwordChanged: ByCall & {
    /** Whose password it is; the same as `by` when users change their own. */
    readonly subject: string
  }
  /** A user's second factor was set up, or changed by an operator. */
  secondFactorChanged: ByUser & {
    /** Whose it is; the same as `by` when users set up their own. */
    readonly subject: string
    /** `invited`: the user may set one up with a code. */
    readonly change: 'enrolled' | 'assigned' | 'invited' | 'unlocked' | 'removed'
  }
  /** A user was disabled: all tokens of the user are dead, and the user cannot log in. */
  userDisabled: ByCall & {
    /** The user who cannot log in. */
    readonly subject: string
  }
  /** A user who was disabled can log in again. */
  userEnabled: ByCall & {
    /** The user who can log in again. */
    readonly subject: string
  }
  /** Roles were given to a user or taken away. */
  rolesChanged: ByCall & {
    /** Whose roles they are. */
    readonly subject: string
    /** Roles given, as requested: the user may have had some of them already. */
    readonly added: readonly string[]
    /** Roles taken away, as requested: the user may not have had all of them. */
    readonly removed: readonly string[]
  }
  /** A role without members was added. */
  roleAdded: ByCall & {
    /** The new role, with its domain as the administrator wrote it. */
    readonly role: string
  }
  /** A role was removed from everybody who had it. */
  roleRemoved: ByCall & {
    /** The role that is gone, with its domain as the administrator wrote it. */
    readonly role: string
  }
  /** The account for emergencies was used: the user store has been unreachable for long enough. */
  breakGlassUsed: FromClient & {
    /** The account for emergencies: `BREAK-GLASS/` and its name. */
    readonly subject: string
  }
}

/** Keeps each event, in the order in which they happened. */
export type EventRecorder = <Name extends keyof SecurityEventMap>(name: Name, event: SecurityEventMap[Name]) => void

/** Emits {@link SecurityEventMap}. A listener that throws or rejects is logged; it changes nothing for the request. */
export class SecurityEvents extends EventEmitter<{ [Name in keyof SecurityEventMap]: [SecurityEventMap[Name]] }> {
  readonly #logger: Logger
  #record: EventRecorder = () => {}

  /** @param logger - Gets a line for each event; by default to stderr: text on a terminal, elsewhere JSON. */
  constructor(logger: Logger = defaultLogger()) {
    super()
    this.#logger = safeLogger(logger)
  }

  /** Whom each event is told besides the listeners, which an app can take away. Where it throws, that is logged. */
  recordWith(record: EventRecorder): void {
    this.#record = record
  }

  /** Emits one event and writes one line to the log. */
  report<Name extends keyof SecurityEventMap>(name: Name, event: SecurityEventMap[Name]): void {
    this.#logger[chooseLevel(name, event)]({ event: name, ...withHelp(event), at: undefined }, messages[name])
    inBackground(
      () => this.#record(name, event),
      (cause) => this.#logger.error({ event: name, cause }, 'an event could not be recorded'),
    )
    for (const listener of this.rawListeners(name) as ((event: SecurityEventMap[Name]) => unknown)[]) {
      inBackground(
        () => listener.call(this, event),
        (cause) => this.#logger.error({ event: name, cause }, 'a listener of security.events failed'),
      )
    }
  }
}

const messages: Record<keyof SecurityEventMap, string> = {
  login: 'logged in',
  loginRefused: 'login refused',
  clientRefused: 'OAuth client refused',
  logout: 'logged out',
  refusal: 'request refused',
  eviction: 'token evicted to make room',
  revocation: 'tokens revoked',
  lock: 'logins locked',
  unlock: 'logins unlocked',
  reload: 'configuration reloaded',
  reloadRefused: 'configuration not taken over',
  auditRead: 'audit trail searched',
  userAdded: 'user added',
  userRemoved: 'user removed',
  passwordChanged: 'password changed',
  secondFactorChanged: 'second factor changed',
  userDisabled: 'user disabled',
  userEnabled: 'user enabled',
  rolesChanged: 'roles changed',
  roleAdded: 'role added',
  roleRemoved: 'role removed',
  breakGlassUsed: 'BREAK-GLASS ACCOUNT USED: the user store cannot be reached',
}

/** What somebody should look at; everything else is the course of things. */
const levels: Partial<Record<keyof SecurityEventMap, 'warn' | 'error'>> = {
  loginRefused: 'warn',
  clientRefused: 'warn',
  refusal: 'warn',
  eviction: 'warn',
  lock: 'warn',
  reloadRefused: 'warn',
  breakGlassUsed: 'error',
}

/** The names of all events. */
export const eventNames = Object.keys(messages) as readonly (keyof SecurityEventMap)[]

/** What the log says of an event. */
export function describeEvent(
  name: keyof SecurityEventMap,
  event: object,
): { readonly level: 'info' | 'warn' | 'error'; readonly message: string } {
  return { level: chooseLevel(name, event), message: messages[name] }
}

function chooseLevel(name: keyof SecurityEventMap, event: object): 'info' | 'warn' | 'error' {
  // Nothing has failed: somebody asks for access.
  if ('reason' in event && event.reason === 'not-admitted') return 'warn'
  if ('status' in event && (event.status as number) >= 500) return 'error'
  if ('cause' in event && event.cause !== undefined) return 'error'
  return levels[name] ?? 'info'
}
