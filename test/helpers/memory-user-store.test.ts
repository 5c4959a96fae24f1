import { contractRoles, contractSuperAdmin, contractUsers, userStoreContract } from '../contracts/user-store.js'
import { MemoryUserStore } from './memory-user-store.js'

const capabilities = { isWritable: true, ignoreCase: true, allowsEmptyRoles: true, hasInternalRoles: true }
const start = { users: contractUsers, roles: contractRoles, superAdmin: contractSuperAdmin }

userStoreContract('the store of the tests', capabilities, async () => new MemoryUserStore(start))

userStoreContract(
  'the store of the tests with a domain',
  capabilities,
  async () => new MemoryUserStore({ ...start, domain: 'SEC' }),
)

userStoreContract(
  'the store of the tests that is read-only',
  { ...capabilities, isWritable: false },
  async () => new MemoryUserStore({ ...start, isReadOnly: true }),
)
