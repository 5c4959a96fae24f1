/**
 * The apps that sign people in through the authorization server, as WSO2's console shows them.
 *
 * @module
 */

import type { JSX } from 'preact'
import type { ServiceProviderEntry } from '../../../admin-api/schemas/configuration.js'
import { type List, queryString } from '../api.js'
import { Badge } from '../components/badge.js'
import { CodeList, ConfigKey, Copyable, type Fact, Facts, Place } from '../components/facts.js'
import { Paged } from '../components/pager.js'
import { Empty, Loaded } from '../components/states.js'
import { Section, View } from '../components/view.js'
import { useFilters } from '../router.js'
import { useResource } from '../use-resource.js'

const pageSize = 20

const grantNames: Readonly<Record<ServiceProviderEntry['grants'][number], string>> = {
  authorization_code: 'Code: a user signs in',
  client_credentials: 'Client credentials: in its own name',
}

export function ServiceProviders(): JSX.Element {
  const [{ offset: from }, change] = useFilters({ offset: '0' })
  const offset = Number(from) || 0
  const providers = useResource<List<ServiceProviderEntry>>(
    `service-providers${queryString({ offset, limit: pageSize })}`,
  )
  return (
    <View
      title="Service providers"
      lead="Apps that sign people in here with OAuth 2.0 and OpenID Connect. They are made in the configuration; a change takes effect at the next start."
    >
      <Loaded resource={providers}>
        {({ list, count, total = count }) =>
          total === 0 ? (
            <Empty>
              <p>
                There is no service provider. Each is an <code>[[oauth.service_provider]]</code> of the configuration.
              </p>
            </Empty>
          ) : (
            <Paged
              {...{ offset, limit: pageSize, count, total }}
              noun={['service provider', 'service providers']}
              onChange={(value) => change({ offset: String(value) })}
            >
              {list.map((provider) => (
                <ServiceProvider key={provider.clientId} provider={provider} />
              ))}
            </Paged>
          )
        }
      </Loaded>
    </View>
  )
}

function ServiceProvider({ provider }: { readonly provider: ServiceProviderEntry }): JSX.Element {
  const { clientId, name, type, grants, redirectUris, postLogoutRedirectUris, scopes, audience, rule } = provider
  const facts: readonly Fact[] = [
    ['Client ID', <Copyable key="id" text={clientId} what="Client ID" />],
    ['Client secret', provider.hasSecret ? 'Set; only its hash is kept' : 'None'],
    ['Allow authentication without the client secret', provider.hasSecret ? 'No' : 'Yes'],
    ['PKCE mandatory', 'Yes, with S256'],
    ['Allowed grant types', grants.map((grant) => grantNames[grant]).join('; ')],
    ['Callback URLs', <CodeList key="callbacks" texts={redirectUris} />],
    ['After a sign-out', <CodeList key="after" texts={postLogoutRedirectUris} />],
    ['Scopes', <CodeList key="scopes" texts={scopes} isInline />],
    [
      'Audience of its tokens',
      <span key="audience" class="code">
        {audience}
      </span>,
    ],
    [
      'Told of sign-outs at',
      provider.backchannelLogoutUri && <span class="code">{provider.backchannelLogoutUri}</span>,
    ],
    ['Configuration', <Rule key="rule" rule={rule} />],
  ]
  return (
    <Section
      title={name}
      actions={
        <>
          <Badge tone="good">PKCE mandatory</Badge>
          <Badge>{type === 'public' ? 'Public client' : 'Confidential client'}</Badge>
        </>
      }
    >
      <Facts facts={facts} />
    </Section>
  )
}

function Rule({ rule }: { readonly rule: ServiceProviderEntry['rule'] }): JSX.Element {
  return (
    <>
      <ConfigKey name={rule.key} /> <Place at={rule} />
    </>
  )
}
