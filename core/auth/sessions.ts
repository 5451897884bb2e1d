import type { Knex } from 'knex'
import { hourMs, minuteMs } from '../time.ts'
import { checkPassword } from './passwords.ts'
import type { Principal } from './principal.ts'
import { newSecret, sha256 } from './secrets.ts'
import { userOf, type User, type UserRow } from './users.ts'

const sessionMs = 12 * hourMs
const idleMs = 30 * minuteMs

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

/** Whose session this is: it lives for half a day, and for half an hour when it is not used. */
export async function findSession(db: Knex, session: string): Promise<Principal | undefined> {
  const hash = sha256(session)
  const row = await db<UserRow & { seen_at: Date }>('core_users')
    .join('core_sessions', 'core_users.id', 'core_sessions.user_id')
    .where({ hash })
    .where('expires_at', '>', new Date())
    .where('seen_at', '>', new Date(Date.now() - idleMs))
    .first('core_users.id', 'core_users.name', 'core_users.role', 'seen_at')
  if (row && row.seen_at.getTime() < Date.now() - minuteMs)
    await db('core_sessions').where({ hash }).update({ seen_at: new Date() })
  return row && { kind: 'user', id: String(row.id), name: row.name, role: row.role, scopes: [] }
}
