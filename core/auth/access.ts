import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { RayneError } from '../errors.ts'
import { secondMs } from '../time.ts'
import { guardLocal, isOrigin } from './local-guard.ts'
import {
  anonymous,
  isSender,
  localAdmin,
  mayCall,
  mayRead,
  type AuthClass,
  type Principal
} from './principal.ts'
import { createRateLimit } from './rate-limit.ts'
import type { AuthStore } from './store.ts'

export interface Access {
  /** Refuses a request before routing: in local mode what this machine itself did not ask. */
  guard(request: IncomingMessage): void
  /** Who asks, if they may; throws 401, 403 or 429, and says before who it is that is refused. */
  authorize(
    request: IncomingMessage,
    auth: AuthClass,
    known?: (principal: Principal) => void
  ): Promise<Principal>
}

export interface AccessOptions {
  readonly protected: boolean
  readonly ingestSecrets: readonly string[]
  /** Requests a second of one sender's token; 0, and none said, is without a limit. */
  readonly ingestRate?: number
  /** In local mode pages of these origins are senders, and nothing more. */
  readonly allowedOrigins?: readonly string[]
  readonly publicUrl?: string | undefined
  readonly store: Pick<AuthStore, 'token' | 'session'>
}

/** Local mode: everybody on loopback is the admin. Protected mode: sessions, API tokens, ingest secrets. */
export function createAccess(options: AccessOptions): Access {
  const identify = createIdentify(options)
  const spend = createRateLimit(options.ingestRate ?? 0)
  const pages = new Set(options.allowedOrigins)
  const isPage = ({ headers }: IncomingMessage): boolean => pages.has(headers.origin ?? '')
  return {
    guard(request) {
      if (!options.protected) guardLocal(request, isPage(request))
    },
    async authorize(request, auth, known) {
      const local = isPage(request) ? pagePrincipal : localAdmin
      const principal = options.protected ? await identify(request) : local
      if (principal !== anonymous) known?.(principal)
      if (mayCall(auth, request.method ?? 'GET', principal)) {
        if (principal.kind === 'token' && !mayRead(principal)) spend(principal.id)
        return principal
      }
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

/** Who a request says it is, by its token or its session; anonymous when that opens nothing. */
function createIdentify({ ingestSecrets, publicUrl, store }: AccessOptions) {
  const digests = ingestSecrets.map(digest)
  const tokens = createTokenCache(store.token)
  return async (request: IncomingMessage): Promise<Principal> => {
    const inPath = tokenInPath(request)
    const token = inPath ?? presentedToken(request)
    if (token) {
      const given = digest(token)
      if (digests.filter(secret => timingSafeEqual(secret, given)).length > 0)
        return ingestPrincipal
      const principal = (await tokens(token)) ?? anonymous
      if (inPath !== undefined && principal.kind === 'token' && !isSender(principal.scopes))
        throw new RayneError({
          code: 'forbidden',
          message: 'proxies log the path of a request: only an ingest token may stand in it'
        })
      return principal
    }
    const session = sessionCookie(request, isSecure(publicUrl))
    if (!session) return anonymous
    const reads = request.method === 'GET' || request.method === 'HEAD'
    if (!reads && !sameOrigin(request, publicUrl))
      throw new RayneError({
        code: 'foreign-origin',
        message: 'a page of another origin may not act for a logged-in user'
      })
    return (await store.session(session)) ?? anonymous
  }
}

/** A page of an allowed origin on a local server, which asks nobody who they are. */
const pagePrincipal: Principal = {
  kind: 'token',
  id: 'page',
  name: 'a page of an allowed origin',
  role: 'none',
  scopes: ['datacat']
}

const ingestPrincipal: Principal = {
  kind: 'token',
  id: 'ingest-secret',
  name: 'ingest secret',
  role: 'none',
  scopes: ['ingest']
}

const cacheMs = 5 * secondMs
const maxCached = 10_000

/** Remembers tokens by their hash, so that a revoked one may live on for five seconds. */
function createTokenCache(find: (token: string) => Promise<Principal | undefined>) {
  const known = new Map<string, { principal: Principal | undefined; until: number }>()
  return async (token: string): Promise<Principal | undefined> => {
    const key = digest(token).toString('base64')
    const hit = known.get(key)
    if (hit && hit.until > Date.now()) return hit.principal
    if (known.size > maxCached) known.clear()
    const principal = await find(token)
    known.set(key, { principal, until: Date.now() + cacheMs })
    return principal
  }
}

/** `/k/<token>` of senders that can send no header. */
const tokenInPath = ({ url = '' }: IncomingMessage): string | undefined =>
  /^\/k\/([\w.~-]+)\//.exec(url)?.[1]

/** A bearer token, `X-Rayne-Token`, or the password of HTTP basic; never a query parameter, which proxies log. */
function presentedToken(request: IncomingMessage): string | undefined {
  const own = request.headers['x-rayne-token']
  if (typeof own === 'string' && own !== '') return own
  const [scheme = '', value = ''] = request.headers.authorization?.split(/ +/, 2) ?? []
  if (/^bearer$/i.test(scheme)) return value
  if (!/^basic$/i.test(scheme)) return undefined
  const login = Buffer.from(value, 'base64').toString('utf8')
  return login.replace(/^[^:]*:/, '') || undefined
}

/** Whether people reach the server by https, so that its cookie can be kept from every other host. */
export const isSecure = (publicUrl: string | undefined): boolean =>
  publicUrl?.startsWith('https:') === true

/** Over https no other host or path can set the cookie of the session: browsers see to that by its name. */
export const cookieName = (secure: boolean): string =>
  secure ? '__Host-rayne_session' : 'rayne_session'

/** The session of the cookie that login sets. */
export function sessionCookie(
  { headers }: Pick<IncomingMessage, 'headers'>,
  secure: boolean
): string | undefined {
  const start = `${cookieName(secure)}=`
  const pair = headers.cookie?.split(/; */).find(each => each.startsWith(start))
  return pair && /^[\w-]+$/.exec(pair.slice(start.length))?.[0]
}

function sameOrigin({ headers }: IncomingMessage, publicUrl: string | undefined): boolean {
  const { origin, host } = headers
  if (origin === undefined) return headers['sec-fetch-site'] === 'same-origin'
  return publicUrl === undefined ? isOrigin(origin, 'http', host) : origin === publicUrl
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
