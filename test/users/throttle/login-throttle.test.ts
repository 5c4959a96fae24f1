import { describe } from 'vitest'
import { createLoginThrottle } from '../../../lib/users/throttle/login-throttle.js'
import { throttleContract } from './throttle-contract.js'

// Covers: A09
describe('the throttle of one process', () => throttleContract(createLoginThrottle, 20_000))
