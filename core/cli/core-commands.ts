import { randomBytes } from 'node:crypto'
import { Type, type Static, type TObject } from 'typebox'
import type { App } from '../app.ts'
import { AuditQuery, auditWire } from '../audit/routes.ts'
import { NewPassword, Role, TokenDays, TokenId, TokenScopes, UserName } from '../auth/schemas.ts'
import { createCommands, type CommandAnswer, type Commands, type NoFields } from '../command.ts'
import { notFound } from '../errors.ts'
import type { CheckReport } from '../health.ts'
import { JobQuery, listJobs, retryJob } from '../job-routes.ts'
import { noteCommand } from './note-command.ts'

const Named = Type.Object({ name: UserName })
const password = Type.Optional(
  Type.String({
    ...NewPassword,
    description: '12 characters or more; made up and shown once when left out'
  })
)

/** The platform's own commands, of the same shape as those of plugins; what they need is loaded when they run. */
export function coreCommands(): Commands {
  const commands = createCommands()
  commands.add('core', {
    name: 'start',
    summary: 'start the server',
    standalone: true,
    run: async (_, context) => (await import('./start.ts')).start(context)
  })
  upkeepCommands(commands)
  userCommands(commands)
  tokenCommands(commands)
  jobCommands(commands)
  auditCommand(commands)
  return commands
}

/** Adds one that needs the platform's own tables; without `plugins` none is loaded that could stand in its way. */
const add = <A extends TObject = NoFields, O extends TObject = NoFields>(
  commands: Commands,
  spec: { name: string; summary: string; arguments?: A; options?: O; plugins?: true },
  run: (app: App, input: Static<A> & Static<O>) => Promise<CommandAnswer>
): void =>
  commands.add<A, O>('core', {
    ...spec,
    standalone: true,
    async run(input, context) {
      const { openApp } = await import('./open-app.ts')
      return openApp(context, app => run(app, input), spec.plugins ? undefined : [])
    }
  })

/** Adds one that changes something, of which the audit log tells. */
const addChange: typeof add = (commands, spec, run) =>
  add(commands, spec, async (app, input) => {
    const answer = await run(app, input)
    noteCommand(app, spec.name, input)
    return answer
  })

function upkeepCommands(commands: Commands): void {
  const doctor = { name: 'doctor', summary: 'run every check and say how to fix what fails' }
  add(commands, { ...doctor, plugins: true }, async ({ health }) => {
    const checks = await health.report()
    const wordOf = ({ ok, required }: CheckReport): string =>
      ok ? 'ok  ' : required ? 'FAIL' : 'warn'
    return {
      value: checks,
      failed: checks.some(check => check.required && !check.ok),
      lines: checks.flatMap(check => [
        `${wordOf(check)}  ${check.name.padEnd(20)} ${check.detail}`,
        ...(check.ok || !check.fix ? [] : [`      → ${check.fix}`])
      ])
    }
  })
  // Opening the application migrates; this says what there is then.
  const migrate = { name: 'migrate', summary: 'bring the database up to date' }
  add(commands, { ...migrate, plugins: true }, async ({ db }) => {
    const found = await db('core_migrations')
      .select('plugin', 'name', 'applied_at')
      .orderBy('applied_at')
    const rows = found.map(row => [row.plugin, row.name, row.applied_at.toISOString()])
    return { value: found, lines: table(['plugin', 'migration', 'applied'], rows) }
  })
}

function userCommands(commands: Commands): void {
  add(commands, { name: 'users', summary: 'people who may log in' }, async ({ store }) => {
    const users = await store.listUsers()
    const rows = users.map(user => [user.id, user.name, user.role])
    return { value: users, lines: table(['id', 'name', 'role'], rows) }
  })
  const options = Type.Object({ role: Type.Union(Role.anyOf, { default: 'member' }), password })
  addChange(
    commands,
    { name: 'users add', summary: 'make a user', arguments: Named, options },
    async ({ store }, input) => {
      const secret = secretOf(input)
      const user = await store.addUser(input.name, secret.password, input.role)
      return {
        value: { ...user, ...secret.shown },
        lines: [`${user.role} '${user.name}' made`, ...secret.lines]
      }
    }
  )
  const change = { name: 'users password', summary: 'give a user another password' }
  addChange(
    commands,
    { ...change, arguments: Named, options: Type.Object({ password }) },
    async ({ store }, input) => {
      const secret = secretOf(input)
      if (!(await store.changePassword(input.name, secret.password))) throw noUser(input.name)
      return {
        value: { name: input.name, ...secret.shown },
        lines: [`the password is changed, and every session has ended`, ...secret.lines]
      }
    }
  )
  addChange(
    commands,
    { name: 'users remove', summary: 'remove a user and their sessions', arguments: Named },
    async ({ store }, { name }) => {
      if (!(await store.removeUser(name))) throw noUser(name)
      return { value: { removed: name }, lines: [`user '${name}' and their sessions removed`] }
    }
  )
}

const noUser = (name: string): Error => notFound('user', `named '${name}'`, '`rayne users`')

/** The password that was given, or one made up, which is shown. */
function secretOf(input: { password?: string }) {
  if (input.password !== undefined) return { password: input.password, shown: {}, lines: [] }
  const made = randomBytes(15).toString('base64url')
  return { password: made, shown: { password: made }, lines: [`password: ${made}`] }
}

function tokenCommands(commands: Commands): void {
  const heading = ['id', 'name', 'scopes', 'expires', 'last used', 'revoked']
  add(commands, { name: 'tokens', summary: 'API tokens and ingest secrets' }, async ({ store }) => {
    const tokens = await store.listTokens()
    const rows = tokens.map(({ id, name, scopes, ...token }) => [
      id,
      name,
      scopes.join(','),
      token.expires_at ?? 'never',
      token.last_used_at ?? 'never',
      token.revoked_at
    ])
    return { value: tokens, lines: table(heading, rows) }
  })
  const making = { name: 'tokens add', summary: 'make a token; its secret is shown this once' }
  const options = Type.Object({ scope: TokenScopes, days: Type.Optional(TokenDays) })
  addChange(
    commands,
    { ...making, arguments: Named, options },
    async ({ store }, { name, scope, days }) => {
      const expires = days === undefined ? undefined : new Date(Date.now() + days * 86_400_000)
      const { token, info } = await store.addToken(name, scope, expires)
      return { value: { token, ...info }, lines: [token] }
    }
  )
  addChange(
    commands,
    {
      name: 'tokens revoke',
      summary: 'end a token at once',
      arguments: Type.Object({ id: TokenId })
    },
    async ({ store }, { id }) => {
      if (!(await store.revokeToken(id)))
        throw notFound('token', `${id} that is live`, '`rayne tokens`')
      return { value: { revoked: id }, lines: [`token ${id} revoked`] }
    }
  )
}

function jobCommands(commands: Commands): void {
  add(
    commands,
    { name: 'jobs', summary: 'durable jobs, newest first', options: JobQuery },
    async ({ db }, filter) => {
      const found = await listJobs(db, filter)
      const rows = found.jobs.map(job => [
        job.id,
        job.name,
        job.state,
        job.attempt,
        job.created_at,
        job.error
      ])
      const pages = Math.ceil(found.total_count / found.per_page)
      return {
        value: found,
        lines: [
          ...table(['id', 'job', 'state', 'attempt', 'created', 'error'], rows),
          ...(pages > 1 ? [`page ${found.page} of ${pages} (--page)`] : [])
        ]
      }
    }
  )
  const id = Type.Array(Type.String({ format: 'uuid' }), {
    description: 'failed jobs; all of them when none is named'
  })
  addChange(
    commands,
    {
      name: 'jobs retry',
      summary: 'run failed jobs again',
      arguments: Type.Object({ id: Type.Optional(id) })
    },
    async ({ db, jobs }, input) => {
      const retried: unknown[] = []
      for (const each of input.id ?? (await failedJobs(db)))
        retried.push(await retryJob(db, jobs, each))
      return { value: retried, lines: [`${retried.length} failed jobs put back in line`] }
    }
  )
}

function auditCommand(commands: Commands): void {
  const spec = {
    name: 'audit',
    summary: 'who did what, newest first; checks that nothing is missing'
  }
  add(commands, { ...spec, options: AuditQuery }, async ({ audit }, { limit, before }) => {
    const { entries, broken } = await audit.verify()
    const found = (await audit.list(limit, before)).map(auditWire)
    const rows = found.map(row => [row.id, row.at, row.actor, row.action, row.outcome, row.address])
    const said =
      broken === null
        ? `the chain of ${entries} entries is whole`
        : `THE CHAIN IS BROKEN at entry ${broken}: it was changed, or one before it is missing`
    return {
      value: { entries: found, checked: entries, broken },
      failed: broken !== null,
      lines: [...table(['id', 'at', 'who', 'what', 'outcome', 'from'], rows), said]
    }
  })
}

async function failedJobs(db: App['db']): Promise<string[]> {
  const rows = await db('jobs.job').where({ state: 'failed' }).select('id').orderBy('created_on')
  return rows.map(row => String(row.id))
}

/** Rows as lines whose columns stand below each other. */
function table(heading: readonly string[], rows: readonly (readonly unknown[])[]): string[] {
  const texts = [heading, ...rows].map(row => row.map(cell => String(cell ?? '')))
  const widths = heading.map((_, n) => Math.max(...texts.map(row => row[n]?.length ?? 0)))
  return texts.map(row =>
    row
      .map((cell, n) => cell.padEnd(widths[n] ?? 0))
      .join('  ')
      .trimEnd()
  )
}
