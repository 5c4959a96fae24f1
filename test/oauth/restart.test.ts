import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { expect, it } from 'vitest'
import { folderWith, keyPair } from '../helpers/key-files.js'
import { snapshotDocument } from '../tokens/snapshot/app-process.js'
import { issuer, newTokens, type OauthFront, oauthFront, refresh, type TokenAnswer, userinfo } from './front.js'

it('keys, refresh tokens and what was used of them outlive a restart', async () => {
  const tables = snapshotDocument() as Record<string, unknown>
  const start = () =>
    oauthFront({ tables: { management_api: tables['management_api'] }, oauth: { refresh_reuse_window: '30s' } })
  const keysOf = async (front: OauthFront) => (await front.send('/oauth2/jwks')).json() as unknown as JSONWebKeySet
  const tokensIn = async (answer: ReturnType<typeof refresh>) => (await answer).json() as unknown as TokenAnswer

  const before = await start()
  const first = await newTokens(before, before.browser())
  const second = await tokensIn(refresh(before, first.refresh_token))
  const keys = await keysOf(before)
  await before.security.close()

  const after = await start()
  expect(await keysOf(after)).toEqual(keys)
  await jwtVerify(first.id_token, createLocalJWKSet(await keysOf(after)), { issuer })
  expect((await userinfo(after, second.access_token)).status).toBe(200)
  expect((await tokensIn(refresh(after, first.refresh_token))).refresh_token).toBe(second.refresh_token)
  const third = await tokensIn(refresh(after, second.refresh_token))
  expect((await userinfo(after, third.access_token)).status).toBe(200)
  expect((await refresh(after, first.refresh_token)).json()['error']).toBe('invalid_grant')
  expect((await userinfo(after, third.access_token)).status).toBe(401)
})

it.each<[string, 'ES256' | 'RS256', boolean]>([
  ['is that of the key file', 'ES256', true],
  ['is another one where that is for another algorithm', 'RS256', false],
])('without a snapshot the key %s', async (_case, algorithm, isKept) => {
  const folder = folderWith({ 'token-key.pem': keyPair().pem })
  const token_config = { algorithm: 'ES256', key_file: `${folder}/token-key.pem` }
  const tables = { management_api: { jwt_token_security_handler: { token_config } } }
  const kids = []
  for (const _start of [1, 2]) {
    const front = await oauthFront({ tables, oauth: { algorithm } })
    const { keys } = (await front.send('/oauth2/jwks')).json() as unknown as JSONWebKeySet
    kids.push(keys.map(({ kid }) => kid).join())
    await front.security.close()
  }
  expect(kids[0] === kids[1]).toBe(isKept)
})
