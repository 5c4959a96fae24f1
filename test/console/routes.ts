/** A request that administrators alone may make: below `/management`, and below `/ops/api`. */
export interface OperatorRoute {
  readonly method: string
  readonly path: string
  /** What is sent with it. */
  readonly body?: object
  /** What an administrator gets where that is not 200: the front of the test has no file. */
  readonly status?: number
  /** Whether it is only there for the page. */
  readonly isOfPage?: true
}

/** Every route of operators. A new resource is added here, and is attacked as all others are. */
export const operatorRoutes: readonly OperatorRoute[] = [
  { method: 'GET', path: '/', isOfPage: true },
  { method: 'GET', path: '/sessions' },
  { method: 'DELETE', path: '/sessions?user=reader' },
  { method: 'DELETE', path: '/sessions/some-id' },
  { method: 'DELETE', path: '/users/reader/sessions' },
  { method: 'GET', path: '/locks' },
  { method: 'DELETE', path: '/locks?user=reader' },
  { method: 'DELETE', path: '/locks?address=192.0.2.1' },
  { method: 'POST', path: '/reload' },
  { method: 'GET', path: '/configuration' },
  { method: 'GET', path: '/api-tokens' },
  { method: 'GET', path: '/service-providers' },
  { method: 'GET', path: '/events' },
  { method: 'GET', path: '/audit' },
  { method: 'GET', path: '/audit/status' },
  { method: 'GET', path: '/health' },
  { method: 'GET', path: '/metrics' },
  { method: 'GET', path: '/reload', status: 400 },
  { method: 'GET', path: '/openapi.json', isOfPage: true },
  { method: 'GET', path: '/users', isOfPage: true },
  { method: 'GET', path: '/users/reader', isOfPage: true },
  { method: 'POST', path: '/users', body: { userId: 'eve', password: 'Long-enough-1', isAdmin: true }, isOfPage: true },
  { method: 'PATCH', path: '/users/reader', body: { newPassword: 'a', confirmPassword: 'a' }, isOfPage: true },
  { method: 'DELETE', path: '/users/reader', isOfPage: true },
  { method: 'GET', path: '/roles', isOfPage: true },
  { method: 'POST', path: '/roles', body: { role: 'eves' }, isOfPage: true },
  { method: 'PUT', path: '/roles', body: { userId: 'reader', addedRoles: ['admin'] }, isOfPage: true },
  { method: 'GET', path: '/roles/viewer', isOfPage: true },
  { method: 'DELETE', path: '/roles/viewer', isOfPage: true },
]

/** Those that change something. */
export const changingRoutes: readonly OperatorRoute[] = operatorRoutes.filter(({ method }) => method !== 'GET')
