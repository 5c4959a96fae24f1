/**
 * The throttle of client secrets.
 *
 * @module
 */

import { createLoginThrottle, type LoginThrottle, type LoginThrottleOptions } from '../users/login-throttle.js'

/**
 * Makes a throttle that counts by client and source, and by source. Guesses from elsewhere count nothing for a client: it may
 * show its secret from anywhere for the first time, and nobody else may keep it from that.
 */
export function createClientThrottle(options: LoginThrottleOptions): LoginThrottle {
  return createLoginThrottle({ ...options, maxFailuresOfUser: Number.MAX_SAFE_INTEGER })
}
