import { Type } from 'typebox'
import type { Audit } from '../audit/store.ts'
import type { Settings } from '../config.ts'
import { notFound, RayneError } from '../errors.ts'
import type { HttpRouter } from '../http/router.ts'
import { defineRoute, reply, type Route } from '../route.ts'
import { dayMs, secondMs } from '../time.ts'
import { cookieName, isSecure, sessionCookie } from './access.ts'
import { NewPassword, Role, TokenDays, TokenId, TokenScopes, UserName } from './schemas.ts'
import type { AuthStore } from './store.ts'
import { createThrottle } from './throttle.ts'

const User = Type.Object({ id: Type.String(), name: Type.String(), role: Type.String() })
const Token = Type.Object({
  id: Type.String(),
  name: Type.String(),
  scopes: Type.Array(Type.String()),
  created_at: Type.String(),
  expires_at: Type.Union([Type.String(), Type.Null()]),
  last_used_at: Type.Union([Type.String(), Type.Null()]),
  revoked_at: Type.Union([Type.String(), Type.Null()])
})

/** `/login`, `/register`, `/logout`, users and tokens; the look-up by integer of the first version is gone. */
export function authRoutes(
  router: HttpRouter,
  store: AuthStore,
  settings: Settings,
  audit: Audit
): void {
  const secure = isSecure(settings.publicUrl)
  const throttle = createThrottle()
  for (const route of [
    login(store, secure, audit, throttle),
    register(store),
    changePassword(store, secure, audit, throttle),
    logout(store, secure),
    listTokens(store),
    addToken(store),
    revokeToken(store)
  ])
    router.route('core', '', route)
}

const cookie = (value: string, seconds: number, secure: boolean): string =>
  `${cookieName(secure)}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${seconds}${secure ? '; Secure' : ''}`

type Throttle = ReturnType<typeof createThrottle>

const Password = Type.String({ maxLength: 200, writeOnly: true })

const login = (store: AuthStore, secure: boolean, audit: Audit, throttle: Throttle): Route =>
  defineRoute({
    method: 'POST',
    path: '/login',
    auth: 'public',
    summary: 'Log in with name and password',
    body: Type.Object({ name: UserName, password: Password }),
    response: Type.Object({ user: User, session: Type.String(), expires_at: Type.String() }),
    also: { 401: 'name or password is wrong', 429: 'too many attempts' },
    async handle({ body, ip }) {
      const attempt = throttle(body.name, ip)
      const result = await store.login(body.name, body.password).catch(attempt.cutOff)
      const entry = { actor: body.name, action: 'login', address: ip }
      if (!result) {
        audit.refused({ ...entry, outcome: 'wrong name or password' })
        throw new RayneError({ code: 'login-failed', message: 'name or password is wrong' })
      }
      attempt.succeeded()
      audit.add({ ...entry, outcome: 'done' })
      const { user, session, expiresAt } = result
      const seconds = Math.floor((expiresAt.getTime() - Date.now()) / secondMs)
      return reply(
        200,
        { user, session, expires_at: expiresAt.toISOString() },
        { 'set-cookie': cookie(session, seconds, secure) }
      )
    }
  })

const changePassword = (
  store: AuthStore,
  secure: boolean,
  audit: Audit,
  throttle: Throttle
): Route =>
  defineRoute({
    method: 'POST',
    path: '/password',
    auth: 'user',
    summary: 'Change the own password; the other sessions of the user end',
    body: Type.Object({ old_password: Password, new_password: NewPassword }),
    response: Type.Object({ status: Type.String() }),
    also: { 401: 'the old password is wrong', 403: 'not a person', 429: 'too many attempts' },
    async handle({ body, headers, ip, principal: { kind, name } }) {
      if (kind !== 'user')
        throw new RayneError({
          code: 'forbidden',
          message: 'only a person who is logged in has a password; `rayne users password` sets one'
        })
      const attempt = throttle(name, ip)
      if (!(await store.isPassword(name, body.old_password).catch(attempt.cutOff))) {
        audit.refused({ actor: name, action: 'password', outcome: 'wrong password', address: ip })
        throw new RayneError({ code: 'login-failed', message: 'the old password is wrong' })
      }
      attempt.succeeded()
      await store.changePassword(name, body.new_password, sessionCookie({ headers }, secure))
      return { status: 'password changed; other sessions have ended' }
    }
  })

const register = (store: AuthStore): Route =>
  defineRoute({
    method: 'POST',
    path: '/register',
    auth: 'public',
    summary: 'Make a user',
    description:
      'With the set-up secret of the link printed at start: the first admin. Otherwise for admins.',
    body: Type.Object({
      name: UserName,
      password: NewPassword,
      role: Type.Optional(Role),
      setup: Type.Optional(Type.String({ writeOnly: true }))
    }),
    response: User,
    status: 201,
    also: { 403: 'neither an admin nor a valid set-up secret', 409: 'the name is taken' },
    async handle({ body, principal }) {
      if (body.setup) return store.firstAdmin(body.setup, body.name, body.password)
      if (principal.role !== 'admin')
        throw new RayneError({
          code: 'forbidden',
          message:
            'only an admin makes users; the first admin comes from the set-up link printed at start'
        })
      return store.addUser(body.name, body.password, body.role ?? 'member')
    }
  })

const logout = (store: AuthStore, secure: boolean): Route =>
  defineRoute({
    method: 'POST',
    path: '/logout',
    auth: 'user',
    summary: 'End the session',
    response: Type.Object({ status: Type.String() }),
    async handle({ headers }) {
      const session = sessionCookie({ headers }, secure)
      if (session) await store.logout(session)
      return reply(200, { status: 'logged out' }, { 'set-cookie': cookie('', 0, secure) })
    }
  })

const listTokens = (store: AuthStore): Route =>
  defineRoute({
    method: 'GET',
    path: '/v1/tokens',
    auth: 'admin',
    summary: 'API tokens, without their secrets',
    response: Type.Object({ tokens: Type.Array(Token), total_count: Type.Integer() }),
    async handle() {
      const tokens = await store.listTokens()
      return { tokens, total_count: tokens.length }
    }
  })

const addToken = (store: AuthStore): Route =>
  defineRoute({
    method: 'POST',
    path: '/v1/tokens',
    auth: 'admin',
    summary: 'Make an API token; its secret is shown this once',
    body: Type.Object({
      name: UserName,
      scopes: TokenScopes,
      expires_in_days: Type.Optional(TokenDays)
    }),
    response: Type.Object({ token: Type.String(), info: Token }),
    status: 201,
    handle: ({ body: { name, scopes, expires_in_days: days } }) =>
      store.addToken(
        name,
        scopes,
        days === undefined ? undefined : new Date(Date.now() + days * dayMs)
      )
  })

const revokeToken = (store: AuthStore): Route =>
  defineRoute({
    method: 'DELETE',
    path: '/v1/tokens/{id}',
    auth: 'admin',
    summary: 'Revoke an API token',
    params: Type.Object({ id: TokenId }),
    response: Type.Object({ message: Type.String() }),
    also: { 404: 'no such token' },
    async handle({ params }) {
      if (!(await store.revokeToken(params.id)))
        throw notFound('token', `${params.id} that is live`, 'GET /v1/tokens')
      return { message: `token ${params.id} revoked` }
    }
  })
