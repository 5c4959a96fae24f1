import { parse } from 'smol-toml'
import { describe, expect, it } from 'vitest'
import { apiTokenCommand } from '../../lib/cli/api-token.js'
import { parseConfig } from '../../lib/config/parse.js'
import { hashApiToken, isApiToken } from '../../lib/tokens/machines/api-token-text.js'
import { runOne } from './one-command.js'

const now = Date.UTC(2026, 0, 1)

const create = (...args: string[]) => runOne((process) => apiTokenCommand(process, () => now), ['create', ...args])

describe('sallyport api-token create', () => {
  it('prints the token once, apart from the lines for the file, which have its hash', async () => {
    const { code, stdout, stderr } = await create('deploy', '--roles', 'ops, release', '--admin', '--days', '30')
    const [token = ''] = stderr.split('\n')
    expect(code).toBe(0)
    expect(isApiToken(token)).toBe(true)
    expect(stdout).not.toContain(token)
    expect(parseConfig(parse(stdout), { env: {} }).managementApi.apiTokens).toEqual([
      {
        name: 'deploy',
        hash: hashApiToken(token),
        roles: ['ops', 'release'],
        isAdmin: true,
        expiresAt: Date.UTC(2026, 0, 31),
        allowedNetworks: undefined,
        paths: undefined,
      },
    ])
  })

  it('can be appended to a file whose last line has no end', async () => {
    const { stdout } = await create('deploy')
    const file = parse(`[management_api]\nprotocols = "https"${stdout}`)
    expect(parseConfig(file, { env: {} }).managementApi.apiTokens).toMatchObject([{ name: 'deploy' }])
  })

  it('gives 90 days and no roles', async () => {
    const { stdout } = await create('deploy')
    expect(stdout).toContain('expires = 2026-04-01T00:00:00Z')
    expect(stdout).not.toMatch(/roles|admin/)
  })

  it.each([
    ['a name with a blank', ['my token'], /The name must have/],
    ['no days', ['deploy', '--days', '0'], /--days must be/],
    ['half a day', ['deploy', '--days', '0.5'], /--days must be/],
  ])('refuses %s', async (_what, args, reason) => {
    const { code, stdout, stderr } = await create(...args)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(reason)
  })
})
