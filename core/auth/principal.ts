/** Who is asking. `local` is everybody on a loopback-only server; `anonymous` is nobody yet. */
export interface Principal {
  readonly kind: 'local' | 'user' | 'token' | 'anonymous'
  readonly id: string
  readonly name: string
  readonly role: 'admin' | 'member' | 'none'
  readonly scopes: readonly string[]
}

/** What a route asks of its caller; a route without one does not boot. */
export type AuthClass = 'public' | 'ingest' | 'user' | 'admin' | `scope:${string}`
export const isAuthClass = (value: unknown): value is AuthClass =>
  typeof value === 'string' && /^(public|ingest|user|admin|scope:[a-z][a-z0-9:-]*)$/.test(value)

export const anonymous: Principal = {
  kind: 'anonymous',
  id: 'anonymous',
  name: 'anonymous',
  role: 'none',
  scopes: []
}
export const localAdmin: Principal = {
  kind: 'local',
  id: 'local',
  name: 'local admin',
  role: 'admin',
  scopes: []
}

/** The scopes a token may carry: `read` and `write` open `user` routes, `ingest` only the ingest ones. */
export const tokenScopes = ['ingest', 'read', 'write', 'admin', 'tools'] as const

/** Whether a principal may call a route of this class with this method. */
export function mayCall(
  auth: AuthClass,
  method: string,
  { kind, role, scopes }: Principal
): boolean {
  if (auth === 'public' || role === 'admin' || scopes.includes('admin')) return true
  if (auth === 'admin') return false
  if (auth === 'ingest') return scopes.includes('ingest')
  if (auth === 'user')
    return (
      kind === 'user' ||
      scopes.includes('write') ||
      (/^(GET|HEAD)$/.test(method) && scopes.includes('read'))
    )
  return scopes.includes(auth.slice('scope:'.length))
}
