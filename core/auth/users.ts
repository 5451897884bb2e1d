import type { Knex } from 'knex'
import { errorCode, RayneError } from '../errors.ts'
import { hourMs } from '../time.ts'
import { assertGoodPassword } from './password-rules.ts'
import { checkPassword, hashPassword } from './passwords.ts'
import { newSecret, sha256 } from './secrets.ts'

export type Role = 'admin' | 'member'
export interface User {
  readonly id: string
  readonly name: string
  readonly role: Role
}
export interface UserRow {
  readonly id: string
  readonly name: string
  readonly role: Role
  readonly password_hash: string
}

export const userOf = ({ id, name, role }: UserRow): User => ({ id: String(id), name, role })

/** Makes a user; throws 409 when the name is taken. An open set-up link ends with the first one. */
export async function addUser(db: Knex, name: string, password: string, role: Role): Promise<User> {
  assertGoodPassword(name, password)
  const password_hash = await hashPassword(password)
  try {
    return await db.transaction(async trx => {
      const [row] = await trx<UserRow>('core_users')
        .insert({ name, password_hash, role })
        .returning('*')
      await dropSetup(trx)
      return userOf(row as UserRow)
    })
  } catch (error) {
    if (errorCode(error) !== '23505') throw error
    throw new RayneError({
      code: 'user-exists',
      message: `there is already a user named '${name}'`,
      details: { errors: [{ pointer: '/body/name', message: 'is taken' }] }
    })
  }
}

export const listUsers = async (db: Knex): Promise<User[]> =>
  (await db<UserRow>('core_users').orderBy('id')).map(userOf)

export const removeUser = async (db: Knex, name: string): Promise<boolean> =>
  (await db('core_users').where({ name }).delete()) > 0

/** Whether this is the password of the user of this name. */
export async function isPassword(db: Knex, name: string, password: string): Promise<boolean> {
  const row = await db<UserRow>('core_users').where({ name }).first('password_hash')
  return checkPassword(password, row?.password_hash)
}

/** Sets another password and ends the user's sessions, all but one at most; false when nobody has this name. */
export async function changePassword(
  db: Knex,
  name: string,
  password: string,
  keptSession?: string
): Promise<boolean> {
  assertGoodPassword(name, password)
  const password_hash = await hashPassword(password)
  return db.transaction(async trx => {
    const [user] = await trx('core_users').where({ name }).update({ password_hash }).returning('id')
    if (!user) return false
    await trx('core_sessions')
      .where({ user_id: user.id })
      .whereNot({ hash: keptSession === undefined ? '' : sha256(keptSession) })
      .delete()
    return true
  })
}

const dropSetup = (db: Knex) => db('core_tokens').whereRaw("'setup' = any(scopes)").delete()

/** A one-time secret that lets its bearer make the first admin within an hour; undefined once there is a user. */
export async function setupSecret(db: Knex): Promise<string | undefined> {
  if (await db('core_users').first('id')) return undefined
  await dropSetup(db)
  const secret = newSecret('setup')
  await db('core_tokens').insert({
    name: 'setup',
    hash: sha256(secret),
    scopes: ['setup'],
    expires_at: new Date(Date.now() + hourMs)
  })
  return secret
}

/** Spends a set-up secret and makes the admin, both or neither; a secret is worth nothing once there is a user. */
export const firstAdmin = (
  db: Knex,
  secret: string,
  name: string,
  password: string
): Promise<User> =>
  db.transaction(async trx => {
    const spent = await trx('core_tokens')
      .where({ hash: sha256(secret) })
      .whereRaw("'setup' = any(scopes)")
      .where('expires_at', '>', new Date())
      .delete()
    // Two that come at once are one after the other here; a guess waits for nobody and lets nobody wait.
    if (spent > 0) await trx.raw('lock table core_users in share row exclusive mode')
    if (spent === 0 || (await trx('core_users').first('id')))
      throw new RayneError({
        code: 'setup-spent',
        message:
          'this set-up link was used, is over an hour old, or there is a user already: ' +
          'restart the server for a new one, or ask an admin'
      })
    return addUser(trx, name, password, 'admin')
  })
