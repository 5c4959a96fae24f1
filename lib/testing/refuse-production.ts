/**
 * Keeps what lets anybody in out of production.
 *
 * @module
 */

/** @throws Error under `NODE_ENV=production`. */
export function refuseProduction(): void {
  if (process.env['NODE_ENV'] !== 'production') return
  throw new Error(
    'sallyport/testing must not be loaded under NODE_ENV=production: it signs users in without a password. Import it in tests only',
  )
}
