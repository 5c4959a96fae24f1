import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../../lib/config/parse.js'
import { problemsOf } from '../problems-of.js'

const internal_apis = { users: [{ user: { name: 'admin', password: 'a-password', is_admin: true } }] }
const documentWith = (audit_trail?: object): object => ({ internal_apis, ...(audit_trail && { audit_trail }) })
const trailOf = (audit_trail?: object) =>
  parseConfig(documentWith(audit_trail), { env: {}, home: '/etc/app' }).auditTrail

describe('[audit_trail]', () => {
  it('is as the app says where it is not written', () => {
    expect(trailOf()).toEqual({
      isEnabled: undefined,
      file: undefined,
      maxBytes: 50_000_000,
      maxAgeMs: undefined,
      keep: 20,
      fsync: 'interval',
      checkpointIntervalMs: 300_000,
      onFailure: 'continue',
      anchorFile: undefined,
    })
  })

  it('reads sizes, times and words, and paths from the folder of the file', () => {
    const written = { file: 'audit.log', anchor_file: '/mnt/anchor', max_size: '1.5 MB', max_age: '1d', keep: 3 }
    const words = { fsync: 'always', checkpoint_interval: '1s', on_audit_failure: 'deny', enable: true }
    expect(trailOf({ ...written, ...words })).toEqual({
      isEnabled: true,
      file: '/etc/app/audit.log',
      maxBytes: 1_500_000,
      maxAgeMs: 86_400_000,
      keep: 3,
      fsync: 'always',
      checkpointIntervalMs: 1000,
      onFailure: 'deny',
      anchorFile: '/mnt/anchor',
    })
  })

  it.each([
    [{ max_size: '9999' }, 'max_size', 'must be a size from "10kB" to "100GB", such as "50MB"'],
    [{ max_size: '9kB' }, 'max_size', 'must be a size'],
    [{ max_size: '101GB' }, 'max_size', 'must be a size'],
    [{ max_size: 50 }, 'max_size', 'must be a size'],
    [{ max_age: 1 }, 'max_age', 'must be a duration'],
    [{ keep: 0 }, 'keep', 'must be a whole number from 1 to 10000'],
    [{ fsync: 'never' }, 'fsync', 'must be one of interval, always'],
    [{ checkpoint_interval: '999ms' }, 'checkpoint_interval', 'must be from "1s" to "24h"'],
    [{ checkpoint_interval: '25h' }, 'checkpoint_interval', 'must be from "1s" to "24h"'],
    [{ on_audit_failure: 'ignore' }, 'on_audit_failure', 'must be one of continue, deny'],
    [{ enable: false }, 'file', 'has no effect with enable = false'],
    [{ file: '' }, 'file', 'must be a text that is not blank'],
  ])('refuses %o', (changes, key, rule) => {
    expect(problemsOf(documentWith({ file: 'audit.log', ...changes }))).toEqual({
      [`audit_trail.${key}`]: expect.stringContaining(rule),
    })
  })

  it('says which keys are for a file', () => {
    const problems = problemsOf(documentWith({ max_size: '1MB', anchor_file: 'a' }))
    const rule = expect.stringContaining('has no effect without file')
    expect(problems).toEqual({ 'audit_trail.max_size': rule, 'audit_trail.anchor_file': rule })
  })
})
