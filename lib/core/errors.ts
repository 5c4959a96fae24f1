/**
 * Every error class of the package and the union of their stable codes.
 *
 * @module
 */

/** A stable code that programs may switch on; codes never change within a major version. The README lists cause and cure of each. */
export type ErrorCode = ConfigErrorCode | StoreErrorCode | HttpErrorCode

/** Codes of `ConfigError`. */
export type ConfigErrorCode = 'ERR_CONFIG_INVALID' | 'ERR_CONFIG_MISSING_PACKAGE'

/** Codes of `StoreError`. */
export type StoreErrorCode = 'ERR_STORE_UNAVAILABLE'

/** Codes of `HttpError`, by the status that goes with them. */
export type HttpErrorCode =
  // 400
  | 'ERR_AUTH_SEVERAL_CREDENTIALS'
  | 'ERR_PATH_AMBIGUOUS'
  | 'ERR_REQUEST_INVALID'
  | 'ERR_SIGN_IN_ENDED'
  | 'ERR_NAME_INVALID'
  | 'ERR_PASSWORD_INVALID'
  | 'ERR_PASSWORD_WRONG'
  | 'ERR_USER_EXISTS'
  | 'ERR_ROLE_EXISTS'
  | 'ERR_CONFIG_INVALID'
  // 401
  | 'ERR_AUTH_REQUIRED'
  | 'ERR_AUTH_INVALID_CREDENTIALS'
  | 'ERR_TOKEN_INVALID'
  | 'ERR_SESSION_ENDED'
  // 403
  | 'ERR_IP_NOT_ALLOWED'
  | 'ERR_ADMIN_REQUIRED'
  | 'ERR_IMPERSONATION'
  | 'ERR_SECOND_FACTOR_REQUIRED'
  | 'ERR_ROLE_REQUIRED'
  | 'ERR_SCOPE_REQUIRED'
  | 'ERR_PATH_DENIED'
  | 'ERR_READ_ONLY'
  | 'ERR_HTTPS_REQUIRED'
  | 'ERR_CROSS_SITE'
  | 'ERR_SIGN_IN_REFUSED'
  | 'ERR_USERS_NOT_MANAGEABLE'
  | 'ERR_USER_PROTECTED'
  // 404, 405, 409, 413, 415
  | 'ERR_NOT_FOUND'
  | 'ERR_METHOD_NOT_ALLOWED'
  | 'ERR_CONFIG_CHANGED'
  | 'ERR_BODY_TOO_LARGE'
  | 'ERR_MEDIA_TYPE_UNSUPPORTED'
  // 429, 431
  | 'ERR_LOGIN_THROTTLED'
  | 'ERR_HEADERS_TOO_MANY'
  // 502, 503
  | 'ERR_IDENTITY_PROVIDER'
  | 'ERR_STORE_UNAVAILABLE'
  | 'ERR_TOKEN_STORE_FULL'
  | 'ERR_LOGIN_OVERLOADED'
  | 'ERR_STREAMS_TOO_MANY'
  | 'ERR_TRUST_PROXY_UNSAFE'
  | 'ERR_AUDIT_UNAVAILABLE'
  // 500
  | 'ERR_INTERNAL'
  | 'ERR_MOUNT_PATH'

/** An event for the log: with the place where the package says what its code means, and what to do. */
export function withHelp(event: object): object {
  return 'code' in event ? { ...event, help: `docs/errors.md#${String(event.code).toLowerCase()}` } : event
}

/** Where in a configuration file a mistake stands. Lines and columns count from 1. */
export interface Position {
  /** Path of the file, as it was opened. */
  readonly file: string
  /** Line of the key, or of what could not be read. */
  readonly line: number
  /** Column of the first character of it. */
  readonly column: number
}

/** What a rule was made from: a key of the configuration, and where it is written. */
export interface Origin {
  /** Dotted path of the key, for example `management_api.control_access.allow`. */
  readonly key: string
  /** Absent when the configuration is an object that was not read from a file, and for a default. */
  readonly position?: Position | undefined
}

/** One mistake in a configuration. */
export interface ConfigProblem extends Origin {
  /** What the key asks for, and what it got instead; a secret is never part of it. */
  readonly rule: string
  /** The known key that is spelled most like this one. */
  readonly suggestion?: string | undefined
}

/**
 * A configuration that cannot be used. It is thrown at start-up only, and lists every mistake at once.
 *
 * The message has one line for each problem, as `file:line:column key: rule`.
 */
export class ConfigError extends Error {
  /** Constant, also where a bundler has renamed the class. */
  override readonly name = 'ConfigError'
  /** Stable within a major version; the README lists cause and cure. */
  readonly code: ConfigErrorCode
  /** All mistakes, in the order of the file. Not enumerable: the message has them already. */
  declare readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[], options?: ErrorOptions & { code?: ConfigErrorCode }) {
    super(problems.map(problemLine).join('\n'), options)
    this.code = options?.code ?? 'ERR_CONFIG_INVALID'
    // Not enumerable: Node prints an uncaught error with its properties, and the message says all of it already.
    Object.defineProperty(this, 'problems', { value: problems })
  }
}

function problemLine({ key, rule, position, suggestion }: ConfigProblem): string {
  const where = position === undefined ? '' : `${escapeControls(position.file)}:${position.line}:${position.column} `
  const hint = suggestion === undefined ? '' : `; did you mean ${suggestion}?`
  return `${where}${key}: ${rule}${hint}`
}

/** A name of a file may hold what a terminal obeys, or a log takes for another line. */
function escapeControls(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    const code = character.codePointAt(0)!.toString(16)
    return `\\u${code.padStart(4, '0')}`
  })
}

/** A backend (token store, directory, database) that failed. Gates turn it into 503: they fail closed. `cause` has the driver's error. */
export class StoreError extends Error {
  /** Constant, also where a bundler has renamed the class. */
  override readonly name = 'StoreError'
  /** Stable within a major version; the README lists cause and cure. */
  readonly code: StoreErrorCode = 'ERR_STORE_UNAVAILABLE'
}

/** What an `HttpError` may carry beside its code and message. */
export interface HttpErrorOptions extends ErrorOptions {
  /** Headers of the answer, for example `WWW-Authenticate` or `Retry-After`. */
  readonly headers?: Readonly<Record<string, string>>
  /**
   * Whether the answer has no body for a client that sends no `Accept`, as refusals by address, authentication and
   * authorization do. `'always'` leaves the body out unless `application/problem+json` is asked for.
   *
   * @defaultValue `'never'`
   */
  readonly bare?: 'never' | 'without-accept' | 'always'
  /** The rule that refuses the request. It is for the log; no answer has it. */
  readonly origin?: Origin | undefined
}

/**
 * A request that is refused. `message` is public and constant: no user name, rule, address or token is part of it.
 * The private reason, where there is one, is `cause`.
 */
export class HttpError extends Error {
  /** Constant, also where a bundler has renamed the class. */
  override readonly name: string = 'HttpError'
  /** Status code of the answer. Express' own error handler reads it too. */
  readonly status: number
  /** The same as `status`, which is what NestJS and others read. */
  readonly statusCode: number
  /** Whether `message` may be shown to the client: below 500, as in http-errors. */
  readonly expose: boolean
  /** The answer's `code` member too. Stable within a major version; the README lists cause and cure. */
  readonly code: HttpErrorCode
  /** Headers of the answer. Express' own error handler sends them too. */
  readonly headers: Readonly<Record<string, string>>
  /** See {@link HttpErrorOptions.bare}. */
  readonly bare: 'never' | 'without-accept' | 'always'
  /** The rule that refuses the request. Not enumerable: an app that sends the error as JSON does not tell its rules. */
  declare readonly origin?: Origin

  constructor(status: number, code: HttpErrorCode, message: string, options: HttpErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.status = status
    this.statusCode = status
    this.expose = status < 500
    this.code = code
    this.headers = options.headers ?? {}
    this.bare = options.bare ?? 'never'
    if (options.origin !== undefined) Object.defineProperty(this, 'origin', { value: options.origin })
  }
}

/** 400: the request cannot be understood, or could be understood in two ways. */
export class BadRequestError extends HttpError {
  override readonly name = 'BadRequestError'
  constructor(code: HttpErrorCode, message: string, options?: HttpErrorOptions) {
    super(400, code, message, options)
  }
}

/** 401: who is calling is not known. `headers` always has `WWW-Authenticate` (RFC 9110 section 15.5.2). */
export class UnauthorizedError extends HttpError {
  override readonly name = 'UnauthorizedError'
  constructor(code: HttpErrorCode, message: string, options?: HttpErrorOptions) {
    super(401, code, message, { bare: 'without-accept', ...options })
  }
}

/** 403: the caller may not do this. */
export class ForbiddenError extends HttpError {
  override readonly name = 'ForbiddenError'
  constructor(code: HttpErrorCode, message: string, options?: HttpErrorOptions) {
    super(403, code, message, { bare: 'without-accept', ...options })
  }
}

/** 429: too many failed logins; `headers` has `Retry-After`. */
export class TooManyRequestsError extends HttpError {
  override readonly name = 'TooManyRequestsError'
  constructor(code: HttpErrorCode, message: string, options?: HttpErrorOptions) {
    super(429, code, message, options)
  }
}

/** 503: a store cannot be reached, or no more work is taken; `headers` has `Retry-After`. Nothing is admitted meanwhile. */
export class UnavailableError extends HttpError {
  override readonly name = 'UnavailableError'
  constructor(code: HttpErrorCode, message: string, options?: HttpErrorOptions) {
    super(503, code, message, { ...options, headers: { 'Retry-After': '5', ...options?.headers } })
  }
}
