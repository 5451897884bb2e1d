import { randomBytes } from 'node:crypto'
import { listJobs, retryJob, type JobFilter } from '../job-routes.ts'
import { notFound, RayneError } from '../errors.ts'
import { answer, say, withApp } from './context.ts'

interface Output {
  readonly json?: boolean
}
const table = (rows: readonly (readonly unknown[])[]): string[] => {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map(row => String(row[column] ?? '').length))
  )
  return rows.map(row =>
    row
      .map((cell, column) => String(cell ?? '').padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  )
}

/** Brings the database up to date and says what was done. */
export const migrateDatabase = ({ json = false }: Output): Promise<void> =>
  withApp(async app => {
    const rows = await app
      .db('core_migrations')
      .select('plugin', 'name', 'applied_at')
      .orderBy('applied_at')
    answer(json, rows, [
      'the database is up to date',
      ...table(rows.map(row => [row.plugin, row.name, row.applied_at.toISOString()]))
    ])
  })

export const showJobs = (
  options: Output & { state?: JobFilter['state']; name?: string }
): Promise<void> =>
  withApp(async app => {
    const found = await listJobs(app.db, {
      state: options.state,
      name: options.name,
      page: 1,
      per_page: 100
    })
    answer(
      options.json ?? false,
      found,
      table([
        ['id', 'job', 'state', 'attempt', 'created', 'error'],
        ...found.jobs.map(job => [
          job.id,
          job.name,
          job.state,
          job.attempt,
          job.created_at,
          job.error
        ])
      ])
    )
  })

export const retryJobs = (ids: readonly string[], { json = false }: Output): Promise<void> =>
  withApp(async app => {
    const failed =
      ids.length > 0
        ? ids
        : (await listJobs(app.db, { state: 'failed', page: 1, per_page: 1000 })).jobs.map(
            job => job.id
          )
    const retried = []
    for (const id of failed) retried.push(await retryJob(app.db, app.jobs, id))
    answer(json, retried, [
      `${retried.length} failed job${retried.length === 1 ? '' : 's'} put back in line`
    ])
  })

export const showUsers = ({ json = false }: Output): Promise<void> =>
  withApp(async app => {
    const users = await app.store.listUsers()
    answer(
      json,
      users,
      table([['id', 'name', 'role'], ...users.map(user => [user.id, user.name, user.role])])
    )
  })

/** Makes a user; without --password one is made up and shown once. */
export const addUser = (
  name: string,
  options: Output & { role: 'admin' | 'member'; password?: string }
): Promise<void> =>
  withApp(async app => {
    const password = options.password ?? randomBytes(15).toString('base64url')
    if (password.length < 12)
      throw new RayneError({
        code: 'invalid-input',
        message: '--password needs 12 characters or more'
      })
    const user = await app.store.addUser(name, password, options.role)
    answer(options.json ?? false, options.password ? user : { ...user, password }, [
      `${user.role} '${user.name}' made`,
      ...(options.password ? [] : [`password: ${password}`])
    ])
  })

export const removeUser = (name: string, { json = false }: Output): Promise<void> =>
  withApp(async app => {
    if (!(await app.store.removeUser(name)))
      throw notFound('user', `named '${name}'`, '`rayne users`')
    answer(json, { removed: name }, [`user '${name}' removed, and every session of theirs`])
  })

export const showTokens = ({ json = false }: Output): Promise<void> =>
  withApp(async app => {
    const tokens = await app.store.listTokens()
    answer(
      json,
      tokens,
      table([
        ['id', 'name', 'scopes', 'expires', 'last used', 'revoked'],
        ...tokens.map(token => [
          token.id,
          token.name,
          token.scopes.join(','),
          token.expires_at ?? 'never',
          token.last_used_at ?? 'never',
          token.revoked_at ?? ''
        ])
      ])
    )
  })

export const addToken = (
  name: string,
  options: Output & { scope: string[]; days?: string }
): Promise<void> =>
  withApp(async app => {
    const expires =
      options.days === undefined
        ? undefined
        : new Date(Date.now() + Number(options.days) * 86_400_000)
    if (expires && Number.isNaN(expires.getTime()))
      throw new RayneError({ code: 'invalid-input', message: '--days takes a number of days' })
    const { token, info } = await app.store.addToken(name, options.scope, expires)
    say('this secret is shown once:')
    answer(options.json ?? false, { token, ...info }, [token])
  })

export const revokeToken = (id: string, { json = false }: Output): Promise<void> =>
  withApp(async app => {
    if (!/^\d{1,18}$/.test(id) || !(await app.store.revokeToken(id)))
      throw notFound('token', `'${id}' that is live`, '`rayne tokens`')
    answer(json, { revoked: id }, [`token ${id} revoked`])
  })

/** Every check with its fix; exit code 1 when a required one fails. */
export const doctor = ({ json = false }: Output): Promise<void> =>
  withApp(async app => {
    const checks = await app.health.report()
    const lines = checks.flatMap(check => [
      `${check.ok ? 'ok  ' : check.required ? 'FAIL' : 'warn'}  ${check.name.padEnd(20)} ${check.detail}`,
      ...(check.ok || !check.fix ? [] : [`      → ${check.fix}`])
    ])
    answer(json, checks, lines)
    if (checks.some(check => check.required && !check.ok)) process.exitCode = 1
  })

/** Runs what a plugin provides as the service `command.<name>`: arguments and options in, a value for programs and lines for people out. */
export const provided =
  (name: string) =>
  (...given: unknown[]): Promise<void> =>
    withApp(async app =>
      answer(
        Boolean((given.at(-2) as Output).json),
        ...(await (
          (app.services.resolve({ run: { id: `command.${name}` } })['run'] ??
            (() => {
              throw new RayneError({
                code: 'command-unknown',
                message: `no loaded plugin answers 'rayne ${name}'`
              })
            })) as (...given: unknown[]) => Promise<[unknown, string[]]>
        )(...given.slice(0, -1)))
      )
    )
