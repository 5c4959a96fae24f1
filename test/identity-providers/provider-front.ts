import type { RawAnswer } from '../helpers/raw-http.js'
import { navigation, origin, type PortalFront, type PortalFrontOptions, startPortals } from '../portals/portal-front.js'
import { clientId, clientSecret, type FakeProvider } from './fake-provider.js'

/** The table of a provider. Groups: `sales` are buyers, `root` are administrators. */
export function providerTable(provider: FakeProvider, changes: object = {}): object {
  return {
    name: 'corporate',
    issuer: provider.url,
    client_id: clientId,
    client_secret: clientSecret,
    roles_claim: 'groups',
    role_mapping: { sales: 'buyer' },
    admin_roles: ['root'],
    domain_name: 'corp',
    public_origin: undefined,
    ...changes,
  }
}

export interface ProviderFrontOptions extends Omit<PortalFrontOptions, 'root'> {
  readonly tables?: readonly object[]
  readonly signIn?: readonly string[]
  readonly root?: Record<string, unknown>
}

/** Starts an app whose portal `shop` takes passwords and users of a provider. */
export function startShop(
  provider: FakeProvider,
  { tables, signIn = ['local', 'corporate'], root, ...others }: ProviderFrontOptions = {},
): Promise<PortalFront> {
  return startPortals({
    portals: { shop: '/shop' },
    ...others,
    root: {
      identity_provider: tables ?? [providerTable(provider)],
      portal: { shop: { sign_in: signIn } },
      ...root,
    },
  })
}

/** A browser: it keeps cookies, and follows nothing by itself. */
export class Visitor {
  readonly cookies = new Map<string, string>()
  readonly #front: PortalFront

  constructor(front: PortalFront) {
    this.#front = front
  }

  async open(path: string, method = 'GET', body?: string): Promise<RawAnswer> {
    const { pathname, search } = new URL(path, origin)
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = [...navigation, ...(cookie === '' ? [] : [`Cookie: ${cookie}`])]
    if (method === 'POST') headers.push('Sec-Fetch-Site: same-origin', `Origin: ${origin}`)
    const answer = await this.#front.call(method, pathname + search, headers, body)
    for (const header of answer.headerLines.filter((line) => /^set-cookie:/i.test(line))) {
      const line = header.slice('set-cookie:'.length).trim()
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (/max-age=0/i.test(line)) this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    return answer
  }

  /** Goes to the provider; answers with the address that it was sent to. */
  async begin(path = '/shop/login/corporate'): Promise<string> {
    const answer = await this.open(path)
    if (answer.status !== 303) throw new Error(`${answer.status} ${answer.body}`)
    return answer.header('location')!
  }

  /** Signs in at the provider and comes back. */
  async signIn(provider: FakeProvider, claims: Record<string, unknown>, path?: string): Promise<RawAnswer> {
    return this.open(provider.authorize(await this.begin(path), claims).href)
  }

  /** Who is signed in at the shop; `undefined`: nobody. */
  async whoAmI(path = '/shop/session'): Promise<Record<string, unknown> | undefined> {
    const answer = await this.open(path)
    return answer.status === 200 ? (JSON.parse(answer.body) as Record<string, unknown>) : undefined
  }
}
