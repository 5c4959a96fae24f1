import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { KeyStoresConfig } from '../../../lib/config/config.js'
import { parseConfig } from '../../../lib/config/parse.js'
import { problemsOf } from '../problems-of.js'

function keyStores(source: object, env: Record<string, string> = {}): KeyStoresConfig {
  return parseConfig(source, { env, home: '/opt/home' }).keyStores
}

const own = { file_name: 'own.p12', password: 'own-password', alias: 'own', key_password: 'own-key-password' }

describe('key stores', () => {
  it('are those of WSO2 where nothing is written', () => {
    const { primary, internal, tls, internalApi, trust, internalApiTrust, custom } = keyStores({})
    expect(primary).toMatchObject({
      key: 'keystore.primary',
      fileName: 'repository/resources/security/wso2carbon.jks',
      isWso2Default: true,
      password: 'wso2carbon',
      alias: undefined,
      folders: [resolve('/opt/home')],
    })
    expect(trust).toMatchObject({ fileName: 'repository/resources/security/client-truststore.jks' })
    expect(internal).toBe(primary)
    expect(internalApiTrust).toBe(trust)
    expect({ tls, internalApi, custom }).toEqual({ tls: undefined, internalApi: undefined, custom: {} })
  })

  it('tell what is given from what products of WSO2 come with, also where one store takes it from another', () => {
    const givenOf = (source: object) => {
      const { tls } = keyStores({ keystore: { ...source, tls: { alias: 'a', ...(source as { tls?: object }).tls } } })
      return [tls?.isFileGiven, tls?.isPasswordGiven]
    }
    expect(givenOf({})).toEqual([false, false])
    expect(givenOf({ tls: { file_name: 'a' } })).toEqual([true, false])
    expect(givenOf({ tls: { password: 'p' } })).toEqual([false, true])
    expect(givenOf({ primary: { file_name: 'a' } })).toEqual([true, false])
    expect(givenOf({ primary: { password: 'p' } })).toEqual([false, true])
  })

  it.each(['internal', 'tls'] as const)('%s takes from the primary one what it does not say itself', (name) => {
    const stores = keyStores({ keystore: { primary: own, [name]: { key_password: 'another' } } })
    expect(stores[name]).toMatchObject({
      key: `keystore.${name}`,
      fileName: 'own.p12',
      alias: 'own',
      password: 'own-password',
      keyPassword: 'another',
    })
  })

  it('with a file of their own take passwords, but no alias: another file has other names', () => {
    const stores = keyStores({ keystore: { primary: own, tls: { file_name: 'tls.p12' } } })
    expect(stores.tls).toMatchObject({ fileName: 'tls.p12', alias: undefined, password: 'own-password' })
  })

  it('with a password of their own do not take the key password', () => {
    const stores = keyStores({ keystore: { primary: own, tls: { password: 'tls-password' } } })
    expect(stores.tls).toMatchObject({ password: 'tls-password', keyPassword: undefined })
  })

  it('of [internal_api_ssl_config] are the primary one and [truststore] unless it names others', () => {
    const truststore = { file_name: 'trust.pem' }
    const plain = keyStores({ keystore: { primary: own }, truststore, internal_api_ssl_config: {} })
    expect(plain.internalApi).toBe(plain.primary)
    expect(plain.internalApiTrust).toMatchObject({ key: 'truststore', fileName: 'trust.pem' })
    const others = keyStores({
      internal_api_ssl_config: {
        key_store: { location: 'a.jks', type: 'JKS', password: 'a', key_password: 'b' },
        trust_store: { location: 'c.jks', password: 'c' },
      },
    })
    expect(others.internalApi).toMatchObject({
      key: 'internal_api_ssl_config.key_store',
      keyNames: { file: 'location' },
      fileName: 'a.jks',
      password: 'a',
      keyPassword: 'b',
    })
    expect(others.internalApiTrust).toMatchObject({ key: 'internal_api_ssl_config.trust_store', fileName: 'c.jks' })
  })

  it('of [custom_keystore] are there by name', () => {
    expect(keyStores({ custom_keystore: { Mine: own } }).custom['Mine']).toMatchObject({
      key: 'custom_keystore.Mine',
      fileName: 'own.p12',
    })
  })

  it('may be references to each other', () => {
    const tls = {
      file_name: '$ref{keystore.primary.file_name}',
      password: '$ref{keystore.primary.password}',
      alias: '$ref{keystore.primary.alias}',
    }
    expect(keyStores({ keystore: { tls } }).tls).toMatchObject({
      fileName: 'repository/resources/security/wso2carbon.jks',
      password: 'wso2carbon',
      alias: 'wso2carbon',
      problems: [],
    })
  })

  it.each([
    ['wso2carbon.jks', true],
    ['wso2carbon.p12', true],
    ['repository/resources/security/wso2carbon.p12', true],
    ['mine/wso2carbon.jks', false],
    ['mine.jks', false],
  ])('in the file %s are those that WSO2 comes with: %s', (file_name, isDefault) => {
    expect(keyStores({ keystore: { primary: { file_name } } }).primary.isWso2Default).toBe(isDefault)
  })

  it('keep what could not be expanded for whoever opens them', () => {
    const primary = { ...own, password: '$env{NOT_SET}' }
    const stores = keyStores({ keystore: { primary, internal: { alias: 'x' }, tls: { ...own, password: 'a' } } })
    const problem = { key: 'keystore.primary.password', rule: expect.stringContaining('NOT_SET') }
    expect(stores.primary.problems).toEqual([problem])
    expect(stores.internal.problems).toEqual([problem])
    expect(stores.tls?.problems).toEqual([])
  })

  it('are checked for their types, opened or not', () => {
    const source = { keystore: { primary: { ...own, password: 5, file_name: ' ' } } }
    expect(Object.keys(problemsOf(source))).toEqual(['keystore.primary.file_name', 'keystore.primary.password'])
  })
})
