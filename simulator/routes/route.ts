import type { Account } from '../world/accounts.ts'
import type { Bucket } from '../control/rate-limits.ts'

/** What a handler knows of a request; `now` is virtual time in epoch ms. */
export interface Call {
  readonly account: Account
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly body: unknown
  readonly now: number
  /** Binds cursors to this account and to the time since the last reset. */
  readonly cursorKey: string
  readonly url: string
}
/** A success: `body` is sent as JSON, `text` as it is; `type` defaults to JSON, null sends none. */
export interface Reply {
  readonly status: number
  readonly body?: unknown
  readonly text?: string
  readonly type?: string | null
}
/**
 * One operation of the Datadog API; `op` is the name the official client gives it; `scope` is what the
 * application key needs; a `page` is for browsers and needs no keys, like what is `anonymous`.
 */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'PATCH'
  readonly path: string
  readonly op: string
  readonly bucket?: Bucket
  readonly apiKeyOnly?: boolean
  readonly scope?: string
  readonly page?: true
  readonly anonymous?: true
  handle(call: Call): Reply
}

export const ok = (body: unknown): Reply => ({ status: 200, body })

/** Finds the route of a request; literal segments win over parameters. */
export function createRouter(routes: readonly Route[]) {
  const compiled = routes
    .map(route => ({ route, parts: route.path.split('/') }))
    .toSorted(
      (a, b) =>
        a.parts.filter(p => p.startsWith(':')).length -
        b.parts.filter(p => p.startsWith(':')).length
    )
  return (
    method: string,
    path: string
  ): { route: Route; params: Record<string, string> } | undefined => {
    const segments = path.split('/')
    for (const { route, parts } of compiled) {
      if (route.method !== method || parts.length !== segments.length) continue
      const params: Record<string, string> = {}
      if (parts.every((part, i) => bind(part, segments[i] ?? '', params))) return { route, params }
    }
    return undefined
  }
}

function bind(part: string, segment: string, params: Record<string, string>): boolean {
  if (!part.startsWith(':')) return part === segment
  try {
    params[part.slice(1)] = decodeURIComponent(segment)
  } catch {
    return false
  }
  return segment !== ''
}
