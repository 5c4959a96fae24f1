import { describe, expect, it } from 'vitest'
import { fileUser, fileUsers, users } from '../helpers/front.js'
import { seed } from '../helpers/second-factor-front.js'
import { navigation, origin, ownForm } from '../portals/portal-front.js'
import { operationsOf } from './answer-checks.js'
import { formType, startWhole } from './whole-stage.js'

const { name: username, password } = users.admin
const own = ['Sec-Fetch-Site: same-origin', `Origin: ${origin}`]
const crossSite = ['Sec-Fetch-Site: cross-site', 'Origin: https://evil.example']
const at = '/publisher'
const root = { portal: { allow_insecure_http: true } }
const changes = {
  root,
  managementApi: { login_throttle: { max_failures: 3 } },
  internalApis: { users: [...fileUsers, fileUser('ann', password, { totp: seed })] },
}
const elsewhere = { root: { ...root, web_app: { control_access: { enable: true, allow: ['10.0.0.0/8'] } } } }

describe('the answers of a portal', () => {
  it('are as documented, each of them', async () => {
    const stage = await startWhole(changes)
    const { ask } = stage
    const form = { username, password }
    await ask('getLoginPage', `${at}/login?return_to=/publisher/apis`, { headers: navigation })
    const signedIn = await ask('signIn', `${at}/login`, { headers: ownForm, form })
    const cookie = `Cookie: ${signedIn.header('set-cookie')!.split(';')[0]}`
    await ask('getLoginPage', `${at}/login`, { headers: [...navigation, cookie] })
    await ask('signIn', `${at}/login`, { headers: ownForm, form: { username: 'ann', password } })
    await ask('signIn', `${at}/login`, { headers: ownForm, form: { username } })
    await ask('signIn', `${at}/login`, { headers: own, form: { ...form, password: 'wrong' } })
    await ask('signIn', `${at}/login`, { headers: ownForm, form: { ...form, password: 'wrong' } })
    await ask('signIn', `${at}/login`, { headers: crossSite, form })
    await ask('signIn', `${at}/login`, { headers: [...own, formType], body: 'x'.repeat(20_000) })
    await ask('signIn', `${at}/login`, { headers: [...own, 'Content-Type: text/plain'], body: 'x' })
    for (let attempt = 0; attempt < 4; attempt++) {
      await ask('signIn', `${at}/login`, { headers: ownForm, form: { username: 'reader', password: 'wrong' } })
    }
    await ask('getSessionStatus', `${at}/session`, { headers: [cookie] })
    await ask('getSessionStatus', `${at}/session`)
    await ask('getSessionStatus', `${at}/session`, { headers: [cookie, cookie] })
    await ask('keepSession', `${at}/session`, { headers: [cookie, ...own] })
    await ask('keepSession', `${at}/session`, { headers: own })
    await ask('keepSession', `${at}/session`, { headers: [cookie, cookie, ...own] })
    await ask('keepSession', `${at}/session`, { headers: [cookie, ...crossSite] })
    await ask('getLogoutPage', `${at}/logout`, { headers: navigation })
    await ask('getLogoutPage', `${at}/logout`)
    await ask('signOut', `${at}/logout`, { headers: crossSite })
    await ask('signOut', `${at}/logout`, { headers: own })
    await ask('signOut', `${at}/logout`, { headers: [...ownForm, cookie] })
    const live = (await ask('signIn', `${at}/login`, { headers: ownForm, form })).header('set-cookie')!.split(';')[0]
    stage.tokenStore.isBroken = true
    await ask('signIn', `${at}/login`, { headers: ownForm, form })
    await ask('getSessionStatus', `${at}/session`, { headers: [`Cookie: ${live}`] })
    await ask('keepSession', `${at}/session`, { headers: [`Cookie: ${live}`, ...own] })
    await ask('signOut', `${at}/logout`, { headers: [`Cookie: ${live}`, ...own] })
    expect(stage.unchecked('portal')).toEqual(['getLoginPage 403', 'getLogoutPage 403', 'getSessionStatus 403'])
  })

  it('are as documented for an address that may not call', async () => {
    const { ask, document } = await startWhole(elsewhere)
    const operations = operationsOf(document).filter(({ tags }) => tags.includes('portal'))
    for (const { operationId, path } of operations) {
      expect((await ask(operationId, path.replace('/{portal}', at))).status).toBe(403)
    }
    expect(operations).toHaveLength(6)
  })
})
