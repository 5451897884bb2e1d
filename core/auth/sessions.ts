import type { Knex } from 'knex'
import { hourMs } from '../time.ts'
import { checkPassword } from './passwords.ts'
import type { Principal } from './principal.ts'
import { newSecret, sha256 } from './secrets.ts'
import { userOf, type User, type UserRow } from './users.ts'

const sessionMs = 12 * hourMs

/** A session for the right password; undefined for a wrong one, after the same time. */
export async function login(
  db: Knex,
  name: string,
  password: string
): Promise<{ user: User; session: string; expiresAt: Date } | undefined> {
  const row = await db<UserRow>('core_users').where({ name }).first()
  if (!(await checkPassword(password, row?.password_hash)) || !row) return undefined
  const session = newSecret('session')
  const expiresAt = new Date(Date.now() + sessionMs)
  await db('core_sessions').where('expires_at', '<', new Date()).delete()
  await db('core_sessions').insert({
    hash: sha256(session),
    user_id: row.id,
    expires_at: expiresAt
  })
  return { user: userOf(row), session, expiresAt }
}

export async function logout(db: Knex, session: string): Promise<void> {
  await db('core_sessions')
    .where({ hash: sha256(session) })
    .delete()
}

/** Whose session this is, while it lives. */
export async function findSession(db: Knex, session: string): Promise<Principal | undefined> {
  const row = await db<UserRow>('core_users')
    .join('core_sessions', 'core_users.id', 'core_sessions.user_id')
    .where({ hash: sha256(session) })
    .where('expires_at', '>', new Date())
    .first('core_users.id', 'core_users.name', 'core_users.role')
  return row && { kind: 'user', id: String(row.id), name: row.name, role: row.role, scopes: [] }
}
