import type { Knex } from 'knex'
import { invalid } from '../errors.ts'
import { isSender, tokenScopes, type Principal } from './principal.ts'
import { newSecret, sha256 } from './secrets.ts'

/** A token without its secret, as the API shows it. */
export interface TokenInfo {
  readonly id: string
  readonly name: string
  readonly scopes: string[]
  readonly created_at: string
  readonly expires_at: string | null
  readonly last_used_at: string | null
  readonly revoked_at: string | null
}
interface TokenRow {
  readonly id: string
  readonly name: string
  readonly hash: string
  readonly scopes: string[]
  readonly created_at: Date
  readonly expires_at: Date | null
  readonly last_used_at: Date | null
  readonly revoked_at: Date | null
}

const iso = (value: Date | null): string | null => (value ? value.toISOString() : null)
const infoOf = (row: TokenRow): TokenInfo => ({
  id: String(row.id),
  name: row.name,
  scopes: row.scopes,
  created_at: row.created_at.toISOString(),
  expires_at: iso(row.expires_at),
  last_used_at: iso(row.last_used_at),
  revoked_at: iso(row.revoked_at)
})

/** Makes a token; its secret is told this once. Throws 400 for a scope that is none. */
export async function addToken(
  db: Knex,
  name: string,
  scopes: readonly string[],
  expiresAt?: Date
): Promise<{ token: string; info: TokenInfo }> {
  const known: readonly string[] = tokenScopes
  const unknown = scopes.find(scope => !known.includes(scope))
  if (unknown !== undefined || scopes.length === 0)
    throw invalid(
      '/body/scopes',
      `must name one or more of ${known.join(', ')}${unknown === undefined ? '' : `, not '${unknown}'`}`
    )
  const token = newSecret(isSender(scopes) ? 'ingest' : 'api')
  const [row] = await db<TokenRow>('core_tokens')
    .insert({ name, hash: sha256(token), scopes: [...scopes], expires_at: expiresAt ?? null })
    .returning('*')
  return { token, info: infoOf(row as TokenRow) }
}

export const listTokens = async (db: Knex): Promise<TokenInfo[]> =>
  (await db<TokenRow>('core_tokens').whereRaw("not ('setup' = any(scopes))").orderBy('id')).map(
    infoOf
  )

/** False when there is no live token of this id. */
export const revokeToken = async (db: Knex, id: string): Promise<boolean> =>
  (await db('core_tokens')
    .where({ id })
    .whereNull('revoked_at')
    .update({ revoked_at: new Date() })) > 0

/** Whose token this is, while it lives; its use is noted. */
export async function findToken(db: Knex, token: string): Promise<Principal | undefined> {
  const [row] = await db<TokenRow>('core_tokens')
    .where({ hash: sha256(token) })
    .whereNull('revoked_at')
    .where(q => q.whereNull('expires_at').orWhere('expires_at', '>', new Date()))
    .update({ last_used_at: new Date() })
    .returning('*')
  if (!row) return undefined
  const { name, scopes } = row
  const role = scopes.includes('admin') ? 'admin' : 'none'
  return { kind: 'token', id: String(row.id), name, role, scopes }
}
