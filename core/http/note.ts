import type { IncomingMessage } from 'node:http'
import type { Audit } from '../audit/store.ts'
import type { AuthClass, Principal } from '../auth/principal.ts'

/** Writes down what an admin changed, and what was refused; a login is noted where its name is known. */
export function note(
  audit: Pick<Audit, 'add' | 'refused'>,
  { method = 'GET' }: IncomingMessage,
  address: string,
  asked: {
    readonly path: string
    readonly auth: AuthClass | undefined
    readonly principal: Principal | undefined
    readonly status: number
  }
): void {
  const { path, auth, principal, status } = asked
  const changes = !/^(?:GET|HEAD|OPTIONS)$/.test(method)
  const isOfAdmins = auth === 'admin' || /^\/(?:register|logout|password)$/.test(path)
  const entry = {
    actor: principal ? `${principal.kind} ${principal.id} ${principal.name}` : 'unknown',
    // A token may stand in a path.
    action: `${method} ${path.replace(/^\/k\/[^/]+/, '/k/…').slice(0, 300)}`,
    outcome: String(status),
    address
  }
  if (status === 403 || (status === 401 && path !== '/login')) audit.refused(entry)
  else if (changes && isOfAdmins && status < 400) audit.add(entry)
}
