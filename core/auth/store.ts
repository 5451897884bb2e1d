import type { Knex } from 'knex'
import { findSession, login, logout } from './sessions.ts'
import { addToken, findToken, listTokens, revokeToken } from './tokens.ts'
import * as users from './users.ts'

/** A function of the database as one without it. */
const bound =
  <A extends unknown[], R>(db: Knex, run: (db: Knex, ...rest: A) => R) =>
  (...rest: A): R =>
    run(db, ...rest)

/** Users, sessions and API tokens in the database; only hashes of secrets are stored. */
export const createAuthStore = (db: Knex) => ({
  addUser: bound(db, users.addUser),
  listUsers: bound(db, users.listUsers),
  removeUser: bound(db, users.removeUser),
  isPassword: bound(db, users.isPassword),
  changePassword: bound(db, users.changePassword),
  setupSecret: bound(db, users.setupSecret),
  firstAdmin: bound(db, users.firstAdmin),
  login: bound(db, login),
  logout: bound(db, logout),
  session: bound(db, findSession),
  addToken: bound(db, addToken),
  listTokens: bound(db, listTokens),
  revokeToken: bound(db, revokeToken),
  token: bound(db, findToken)
})
export type AuthStore = ReturnType<typeof createAuthStore>
