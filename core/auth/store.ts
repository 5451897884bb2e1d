import { createHash, randomBytes } from 'node:crypto'
import type { Knex } from 'knex'
import { errorCode, invalid, RayneError } from '../errors.ts'
import type { Migration } from '../db/migrate.ts'
import { checkPassword, hashPassword } from './passwords.ts'
import { tokenScopes, type Principal } from './principal.ts'

export const authMigrations: readonly Migration[] = [
  {
    name: '0001_users_sessions_tokens',
    up: trx =>
      trx.raw(`
    create table core_users (id bigint generated always as identity primary key, name text not null unique, password_hash text not null,
      role text not null check (role in ('admin', 'member')), created_at timestamptz not null default now());
    create table core_sessions (hash text primary key, user_id bigint not null references core_users on delete cascade, expires_at timestamptz not null);
    create table core_tokens (id bigint generated always as identity primary key, name text not null, hash text not null unique, scopes text[] not null,
      created_at timestamptz not null default now(), expires_at timestamptz, last_used_at timestamptz, revoked_at timestamptz)`)
  }
]

export interface User {
  readonly id: string
  readonly name: string
  readonly role: 'admin' | 'member'
}
export interface TokenInfo {
  readonly id: string
  readonly name: string
  readonly scopes: string[]
  readonly created_at: string
  readonly expires_at: string | null
  readonly last_used_at: string | null
  readonly revoked_at: string | null
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const newSecret = (kind: string): string => `rayne_${kind}_${randomBytes(32).toString('base64url')}`
const sessionHours = 12

/** Users, sessions and API tokens in the database; only hashes of secrets are stored. */
export function createAuthStore(db: Knex) {
  return {
    async addUser(
      name: string,
      password: string,
      role: 'admin' | 'member',
      trx: Knex = db
    ): Promise<User> {
      const password_hash = await hashPassword(password)
      try {
        const [row] = await trx('core_users')
          .insert({ name, password_hash, role })
          .returning(['id', 'name', 'role'])
        return userOf(row)
      } catch (error) {
        if (errorCode(error) === '23505')
          throw new RayneError({
            code: 'user-exists',
            message: `there is already a user named '${name}'`,
            details: {
              errors: [{ pointer: '/body/name', message: 'is taken' }]
            }
          })
        throw error
      }
    },
    listUsers: async (): Promise<User[]> =>
      (await db('core_users').select('id', 'name', 'role').orderBy('id')).map(userOf),
    removeUser: async (name: string): Promise<boolean> =>
      (await db('core_users').where({ name }).delete()) > 0,
    async login(
      name: string,
      password: string
    ): Promise<{ user: User; session: string; expiresAt: Date } | undefined> {
      const row = await db('core_users').where({ name }).first()
      if (!(await checkPassword(password, row?.password_hash))) return undefined
      const session = newSecret('session')
      const expiresAt = new Date(Date.now() + sessionHours * 3_600_000)
      await db('core_sessions').where('expires_at', '<', new Date()).delete()
      await db('core_sessions').insert({
        hash: sha256(session),
        user_id: row.id,
        expires_at: expiresAt
      })
      return { user: userOf(row), session, expiresAt }
    },
    logout: async (session: string): Promise<void> => {
      await db('core_sessions')
        .where({ hash: sha256(session) })
        .delete()
    },
    async session(session: string): Promise<Principal | undefined> {
      const row = await db('core_sessions')
        .join('core_users', 'core_users.id', 'core_sessions.user_id')
        .where({ hash: sha256(session) })
        .where('expires_at', '>', new Date())
        .first('core_users.id', 'core_users.name', 'core_users.role')
      return row && { kind: 'user', id: String(row.id), name: row.name, role: row.role, scopes: [] }
    },
    async addToken(
      name: string,
      scopes: readonly string[],
      expiresAt?: Date
    ): Promise<{ token: string; info: TokenInfo }> {
      const unknown = scopes.find(scope => !(tokenScopes as readonly string[]).includes(scope))
      if (unknown !== undefined || scopes.length === 0)
        throw invalid(
          '/body/scopes',
          `must name one or more of ${tokenScopes.join(', ')}${unknown === undefined ? '' : `, not '${unknown}'`}`
        )
      const token = newSecret(scopes.includes('ingest') ? 'ingest' : 'api')
      const [row] = await db('core_tokens')
        .insert({ name, hash: sha256(token), scopes, expires_at: expiresAt ?? null })
        .returning('*')
      return { token, info: tokenOf(row) }
    },
    listTokens: async (): Promise<TokenInfo[]> =>
      (await db('core_tokens').whereRaw("not ('setup' = any(scopes))").orderBy('id')).map(tokenOf),
    revokeToken: async (id: string): Promise<boolean> =>
      (await db('core_tokens')
        .where({ id })
        .whereNull('revoked_at')
        .update({ revoked_at: new Date() })) > 0,
    async token(token: string): Promise<Principal | undefined> {
      const [row] = await db('core_tokens')
        .where({ hash: sha256(token) })
        .whereNull('revoked_at')
        .where(q => q.whereNull('expires_at').orWhere('expires_at', '>', new Date()))
        .update({ last_used_at: new Date() })
        .returning(['id', 'name', 'scopes'])
      return (
        row && {
          kind: 'token',
          id: String(row.id),
          name: row.name,
          role: row.scopes.includes('admin') ? 'admin' : 'none',
          scopes: row.scopes
        }
      )
    },
    /** A one-time secret that lets its bearer make the first admin; undefined once there is a user. */
    async setupSecret(): Promise<string | undefined> {
      if (await db('core_users').first('id')) return undefined
      await db('core_tokens').whereRaw("'setup' = any(scopes)").delete()
      const secret = newSecret('setup')
      await db('core_tokens').insert({
        name: 'setup',
        hash: sha256(secret),
        scopes: ['setup'],
        expires_at: new Date(Date.now() + 3_600_000)
      })
      return secret
    },
    /** Spends a setup secret and makes the admin, both or neither. */
    firstAdmin: (secret: string, name: string, password: string): Promise<User> =>
      db.transaction(async trx => {
        const spent = await trx('core_tokens')
          .where({ hash: sha256(secret) })
          .whereRaw("'setup' = any(scopes)")
          .where('expires_at', '>', new Date())
          .delete()
        if (spent === 0)
          throw new RayneError({
            code: 'setup-spent',
            message:
              'this set-up link was used or is over an hour old; restart the server for a new one'
          })
        return createAuthStore(trx).addUser(name, password, 'admin', trx)
      })
  }
}
export type AuthStore = ReturnType<typeof createAuthStore>

const userOf = (row: { id: unknown; name: string; role: 'admin' | 'member' }): User => ({
  id: String(row.id),
  name: row.name,
  role: row.role
})
const iso = (value: Date | null): string | null => (value ? value.toISOString() : null)
const tokenOf = (row: Record<string, never>): TokenInfo => ({
  id: String(row['id']),
  name: row['name'] as unknown as string,
  scopes: row['scopes'] as unknown as string[],
  created_at: iso(row['created_at'] as unknown as Date) as string,
  expires_at: iso(row['expires_at'] ?? null),
  last_used_at: iso(row['last_used_at'] ?? null),
  revoked_at: iso(row['revoked_at'] ?? null)
})
