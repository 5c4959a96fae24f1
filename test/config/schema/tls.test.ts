import { describe, expect, it } from 'vitest'
import type { TlsConfig } from '../../../lib/config/config.js'
import { parseConfig } from '../../../lib/config/parse.js'
import { problemsOf } from '../problems-of.js'

function ssl(parameter: Record<string, unknown>, more: Record<string, unknown> = {}): object {
  return { internal_api_ssl_config: { parameter, ...more } }
}

/** What Tomcat's connector of a Carbon product has. */
function tomcat(properties: Record<string, unknown>): object {
  return { transport: { https: { sslHostConfig: { properties } } } }
}

function parsed(source: object): { readonly tls: TlsConfig; readonly warnings: readonly string[] } {
  const { tls, warnings } = parseConfig(source, { env: {} })
  return { tls, warnings: warnings.map(({ key, rule }) => `${key}: ${rule}`) }
}

describe('versions of TLS', () => {
  it.each([
    ['TLSv1.2', 'TLSv1.2', 'TLSv1.2', []],
    ['TLSv1.3', 'TLSv1.3', 'TLSv1.3', []],
    ['TLSv1.2,TLSv1.3', 'TLSv1.2', 'TLSv1.3', []],
    ['tlsv1.3 , TLSV1.2', 'TLSv1.2', 'TLSv1.3', []],
    ['TLSv1,TLSv1.1,TLSv1.2', 'TLSv1.2', 'TLSv1.2', ['TLSv1', 'TLSv1.1']],
    ['SSLv2Hello,TLSv1.2', 'TLSv1.2', 'TLSv1.2', ['SSLv2Hello']],
    ['SSLv3,TLSv1.3,TLSv9', 'TLSv1.3', 'TLSv1.3', ['SSLv3', 'TLSv9']],
    ['TLS', 'TLSv1.2', 'TLSv1.3', []],
    ['', 'TLSv1.2', 'TLSv1.3', []],
  ])('httpsProtocols = %j are %s to %s', (httpsProtocols, minVersion, maxVersion, dropped) => {
    const { tls, warnings } = parsed(ssl({ httpsProtocols }))
    expect(tls).toMatchObject({ minVersion, maxVersion })
    expect(warnings).toHaveLength(dropped.length === 0 ? 0 : 1)
    if (dropped.length > 0) {
      expect(warnings[0]).toMatch(/^internal_api_ssl_config\.parameter\.httpsProtocols: .*RFC 8996/)
      expect(warnings[0]).toContain(`: ${dropped.join(', ')};`)
    }
  })

  it.each([
    ['+TLSv1,+TLSv1.1,+TLSv1.2,+TLSv1.3', 'TLSv1.2', 'TLSv1.3'],
    ['+TLSv1.2+TLSv1.3', 'TLSv1.2', 'TLSv1.3'],
    ['all', 'TLSv1.2', 'TLSv1.3'],
    ['all,-TLSv1.2', 'TLSv1.3', 'TLSv1.3'],
    ['all,-TLSv1,-TLSv1.1', 'TLSv1.2', 'TLSv1.3'],
  ])('protocols = %j of Tomcat are %s to %s', (protocols, minVersion, maxVersion) => {
    expect(parsed(tomcat({ protocols })).tls).toMatchObject({ minVersion, maxVersion })
  })

  it.each(['TLSv1', 'SSLv3,TLSv1.1', 'all,-TLSv1.2,-TLSv1.3', 'TLSv1.4'])('%j leaves nothing, a mistake', (value) => {
    expect(problemsOf(ssl({ httpsProtocols: value }))).toEqual({
      'internal_api_ssl_config.parameter.httpsProtocols': expect.stringContaining('must name TLSv1.2'),
    })
  })

  it('of [internal_api_ssl_config] count before those of [transport.https]', () => {
    const both = { ...ssl({ httpsProtocols: 'TLSv1.3' }), ...tomcat({ protocols: 'TLSv1.2' }) }
    expect(parsed(both).tls.minVersion).toBe('TLSv1.3')
  })

  it('may stand where older products have them', () => {
    const source = { transport: { https: { properties: { sslEnabledProtocols: 'TLSv1.3', port: '9443' } } } }
    expect(parsed(source).tls.minVersion).toBe('TLSv1.3')
  })
})

describe('cipher suites', () => {
  it.each([
    ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', ['ECDHE-RSA-AES128-GCM-SHA256'], 'TLSv1.2', 'TLSv1.2', []],
    ['ECDHE-RSA-AES256-GCM-SHA384', ['ECDHE-RSA-AES256-GCM-SHA384'], 'TLSv1.2', 'TLSv1.2', []],
    ['TLS_AES_256_GCM_SHA384', ['TLS_AES_256_GCM_SHA384'], 'TLSv1.3', 'TLSv1.3', []],
    [
      'TLS_RSA_WITH_AES_128_CBC_SHA,TLS_DHE_RSA_WITH_AES_128_GCM_SHA256, TLS_AES_128_GCM_SHA256 ' +
        'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
      ['TLS_AES_128_GCM_SHA256', 'ECDHE-ECDSA-CHACHA20-POLY1305'],
      'TLSv1.2',
      'TLSv1.3',
      ['TLS_RSA_WITH_AES_128_CBC_SHA', 'TLS_DHE_RSA_WITH_AES_128_GCM_SHA256'],
    ],
  ])('preferredCiphers = %j', (preferredCiphers, cipherSuites, minVersion, maxVersion, dropped) => {
    const { tls, warnings } = parsed(ssl({ preferredCiphers }))
    expect(tls).toMatchObject({ cipherSuites, minVersion, maxVersion })
    expect(warnings).toHaveLength(dropped.length === 0 ? 0 : 1)
    expect(warnings.join('')).toContain(dropped.length === 0 ? '' : `not offered: ${dropped.join(', ')}`)
  })

  it.each([
    ['TLS_RSA_WITH_AES_128_CBC_SHA', {}],
    ['HIGH:!aNULL', {}],
    ['TLS_AES_128_GCM_SHA256', { httpsProtocols: 'TLSv1.2' }],
  ])('%j with %j leave nothing, a mistake', (preferredCiphers, more) => {
    expect(problemsOf(ssl({ preferredCiphers, ...more }))).toEqual({
      'internal_api_ssl_config.parameter.preferredCiphers': expect.stringContaining('forward secret'),
    })
  })
})

describe('client certificates', () => {
  it.each([
    ['require', 'required'],
    ['Required', 'required'],
    ['true', 'required'],
    [true, 'required'],
    ['optional', 'optional'],
    ['want', 'optional'],
    ['false', 'none'],
    [false, 'none'],
    ['none', 'none'],
  ])('%j are %s', (value, meaning) => {
    expect(parsed(ssl({ sslVerifyClient: value })).tls.clientCertificates).toBe(meaning)
    expect(parsed(tomcat({ certificateVerification: value })).tls.clientCertificates).toBe(meaning)
  })

  describe('in [transport.https]', () => {
    const places = [
      ['properties', (key: object) => ({ properties: key })],
      ['sslHostConfig', (key: object) => ({ sslHostConfig: key })],
      ['sslHostConfig.properties', (key: object) => ({ sslHostConfig: { properties: key } })],
      ['listener.parameter', (key: object) => ({ listener: { parameter: key } })],
      ['listener.parameters', (key: object) => ({ listener: { parameters: key } })],
    ] as const
    const keys = ['sslVerifyClient', 'SSLVerifyClient', 'certificateVerification', 'clientAuth']

    it.each(keys)('are asked for by %s, wherever it stands', (key) => {
      expect(parsed({ transport: { https: { [key]: 'require' } } }).tls.clientCertificates).toBe('required')
      for (const [place, at] of places) {
        const ofWord = (word: unknown) => ({ transport: { https: at({ [key]: word }) } })
        expect(parsed(ofWord('require')).tls.clientCertificates).toBe('required')
        expect(parsed(ofWord(true)).tls.clientCertificates).toBe('required')
        expect(parsed(ofWord('optional')).tls.clientCertificates).toBe('optional')
        expect(parsed(ofWord('false')).tls.clientCertificates).toBe('none')
        for (const wrong of ['maybe', 7, ['require'], { a: 1 }]) {
          expect(Object.keys(problemsOf(ofWord(wrong)))).toEqual([`transport.https.${place}.${key}`])
        }
      }
    })

    it('count after those of [internal_api_ssl_config], and as Tomcat orders them', () => {
      const https = {
        properties: { clientAuth: 'false' },
        sslHostConfig: { properties: { certificateVerification: 'required' } },
      }
      expect(parsed({ transport: { https } }).tls.clientCertificates).toBe('required')
      const both = { ...ssl({ sslVerifyClient: 'optional' }), transport: { https } }
      expect(parsed(both).tls.clientCertificates).toBe('optional')
    })
  })

  it.each(['maybe', 'optionalNoCA', 'constructor'])(
    '%j is a mistake: nobody must be let in by a typing error',
    (value) => {
      expect(Object.keys(problemsOf(ssl({ sslVerifyClient: value })))).toEqual([
        'internal_api_ssl_config.parameter.sslVerifyClient',
      ])
    },
  )

  it('with a check for revocation get a warning, which is not made', () => {
    const source = ssl({ sslVerifyClient: 'require' }, { certificate_revocation_verifier_enabled: 'true' })
    expect(parsed(source).warnings).toMatchObject([
      expect.stringContaining('internal_api_ssl_config.certificate_revocation_verifier_enabled: has no effect'),
    ])
  })
})
