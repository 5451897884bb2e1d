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

/** What senders may carry, who can do nothing but send: `ingest` is for all that is taken in. */
const senderScopes: readonly string[] = ['ingest', 'webhooks', 'datacat']

/** The scopes a token may carry: `read` and `write` open `user` routes, those of senders the doors they name. */
export const tokenScopes = [
  'ingest',
  'read',
  'write',
  'admin',
  'tools',
  'webhooks',
  'datacat'
] as const

/** Whether a token is one of a sender, which may stand in a path; a token of an admin never is. */
export const isSender = (scopes: readonly string[]): boolean =>
  scopes.some(scope => senderScopes.includes(scope)) && !scopes.includes('admin')

/** Whether a caller may read what is kept here; a sender may not, and learns no names. */
export const mayRead = ({ kind, role, scopes }: Principal): boolean =>
  kind === 'local' ||
  role !== 'none' ||
  ['read', 'write', 'admin'].some(scope => scopes.includes(scope))

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
  const scope = auth.slice('scope:'.length)
  return scopes.includes(scope) || (senderScopes.includes(scope) && scopes.includes('ingest'))
}
