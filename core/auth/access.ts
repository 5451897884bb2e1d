import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { RayneError } from '../errors.ts'
import { anonymous, localAdmin, mayCall, type AuthClass, type Principal } from './principal.ts'
import type { AuthStore } from './store.ts'

export interface Access {
  /** Refuses a request before routing: in local mode the Host must be loopback and no foreign page may ask. */
  guard(request: IncomingMessage): void
  /** Who asks, if they may; throws 401 or 403. */
  authorize(request: IncomingMessage, auth: AuthClass, ip: string): Promise<Principal>
}

const cacheMs = 5_000

/** Local mode: everybody on loopback is the admin. Protected mode: sessions, API tokens, ingest secrets. */
export function createAccess(options: {
  protected: boolean
  ingestSecrets: readonly string[]
  publicUrl?: string | undefined
  store: AuthStore
}): Access {
  const digests = options.ingestSecrets.map(digest)
  // Keyed by the secret's hash; a revoked token may live on for five seconds.
  const known = new Map<string, { principal: Principal | undefined; until: number }>()

  async function cached(
    secret: string,
    find: () => Promise<Principal | undefined>
  ): Promise<Principal | undefined> {
    const key = digest(secret).toString('base64')
    const hit = known.get(key)
    if (hit && hit.until > Date.now()) return hit.principal
    if (known.size > 10_000) known.clear()
    const principal = await find()
    known.set(key, { principal, until: Date.now() + cacheMs })
    return principal
  }

  async function identify(request: IncomingMessage): Promise<Principal> {
    const token = presentedToken(request)
    if (token) {
      const given = digest(token)
      if (digests.filter(secret => timingSafeEqual(secret, given)).length > 0)
        return {
          kind: 'token',
          id: 'ingest-secret',
          name: 'ingest secret',
          role: 'none',
          scopes: ['ingest']
        }
      return (await cached(token, () => options.store.token(token))) ?? anonymous
    }
    const session = sessionCookie(request)
    if (session) {
      if (
        request.method !== 'GET' &&
        request.method !== 'HEAD' &&
        !sameOrigin(request, options.publicUrl)
      )
        throw new RayneError({
          code: 'foreign-origin',
          message: 'a page of another origin may not act for a logged-in user'
        })
      return (await options.store.session(session)) ?? anonymous
    }
    return anonymous
  }

  return {
    guard(request) {
      if (options.protected) return
      if (!isLoopbackName(request.headers.host))
        throw new RayneError({
          code: 'foreign-host',
          message:
            'this server answers on loopback only: use http://127.0.0.1, or set RAYNE_AUTH=required and a public HOST'
        })
      const origin = request.headers.origin
      if (
        origin !== undefined &&
        !(URL.canParse(origin) && new URL(origin).host === request.headers.host)
      )
        throw new RayneError({
          code: 'foreign-origin',
          message: 'a page of another origin may not use a local server'
        })
    },
    async authorize(request, auth) {
      if (!options.protected) return localAdmin
      const principal = await identify(request)
      if (mayCall(auth, request.method ?? 'GET', principal)) return principal
      if (principal.kind === 'anonymous')
        throw new RayneError({
          code: 'unauthenticated',
          message: 'log in with POST /login, or send an API token as Authorization: Bearer'
        })
      throw new RayneError({
        code: 'forbidden',
        message: `'${principal.name}' may not do this: the route asks for '${auth}'`
      })
    }
  }
}

/** A bearer token, `X-Rayne-Token`, the password of HTTP basic, or `/k/<token>` for clients that can send no header; never a query parameter, which every proxy logs. */
function presentedToken(request: IncomingMessage): string | undefined {
  const own = /^\/k\/([\w.~-]+)\//.exec(request.url ?? '')?.[1] ?? request.headers['x-rayne-token']
  if (typeof own === 'string' && own !== '') return own
  const [scheme = '', value = ''] = (request.headers.authorization ?? '').split(/ +/, 2)
  if (/^bearer$/i.test(scheme)) return value
  if (/^basic$/i.test(scheme))
    return (
      Buffer.from(value, 'base64')
        .toString('utf8')
        .replace(/^[^:]*:/, '') || undefined
    )
  return undefined
}

/** The session of the cookie that login sets. */
export const sessionCookie = ({ headers }: Pick<IncomingMessage, 'headers'>): string | undefined =>
  /(?:^|;\s*)rayne_session=([\w-]+)/.exec(headers.cookie ?? '')?.[1]

function sameOrigin(request: IncomingMessage, publicUrl: string | undefined): boolean {
  const origin = request.headers.origin
  if (origin === undefined) return request.headers['sec-fetch-site'] === 'same-origin'
  return (
    origin === publicUrl || (URL.canParse(origin) && new URL(origin).host === request.headers.host)
  )
}

const isLoopbackName = (host: string | undefined): boolean =>
  /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i.test(host ?? '')
const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
