import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { main } from '../main.ts'
import { createTestDatabase, rayne, urlOf, type Ended } from '../testing.ts'

type Variables = Readonly<Record<string, string>>

function emptyFolder(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'rayne-nothing-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** The command line in this process, which has read its modules already. */
async function ask(args: readonly string[], environment: Variables): Promise<Ended> {
  const said = { stdout: '', stderr: '' }
  const code = await main(args, AbortSignal.timeout(110_000), {
    environment,
    out: text => (said.stdout += text),
    err: text => (said.stderr += text)
  })
  return { code, ...said }
}

test('every command and subcommand prints one JSON document when asked to', async t => {
  const env = { DATABASE_URL: urlOf(await createTestDatabase(t)), RAYNE_DEMO_MODE: 'off' }
  const json = async <T>(...args: string[]): Promise<T> => {
    const { code, stdout, stderr } = await ask([...args, '--json'], env)
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}`)
    return JSON.parse(stdout) as T
  }
  const migrations = await json<{ plugin: string }[]>('migrate')
  assert.ok(migrations.some(row => row.plugin === 'core'))
  const checks = await json<{ name: string; ok: boolean }[]>('doctor')
  assert.ok(checks.some(check => check.name === 'database' && check.ok))
  assert.equal((await json<{ total_count: number }>('jobs')).total_count, 0)
  assert.deepEqual(await json('jobs', 'retry'), [])
  const user = await json<{ name: string; password: string }>('users', 'add', 'ada')
  assert.deepEqual([user.name, user.password.length], ['ada', 20])
  const users = await json<{ name: string; role: string }[]>('users')
  assert.deepEqual(
    users.map(({ name, role }) => [name, role]),
    [['ada', 'member']]
  )
  const changed = await json<{ password: string }>('users', 'password', 'ada')
  assert.ok(changed.password.length === 20 && changed.password !== user.password)
  assert.deepEqual(await json('users', 'remove', 'ada'), { removed: 'ada' })
  const token = await json<{ token: string; id: string }>('tokens', 'add', 't', '--scope', 'read')
  assert.match(token.token, /^rayne_api_[\w-]{43}$/)
  const tokens = await json<{ name: string; scopes: string[] }[]>('tokens')
  assert.deepEqual(
    tokens.map(({ name, scopes }) => [name, scopes]),
    [['t', ['read']]]
  )
  assert.deepEqual(await json('tokens', 'revoke', token.id), { revoked: token.id })
  assert.deepEqual(await json('secrets', 'rotate'), { resealed: 0 })

  const audit = await json<{ entries: { actor: string; action: string; outcome: string }[] }>(
    'audit'
  )
  assert.deepEqual(
    audit.entries.map(({ action, outcome }) => `${action}: ${outcome}`),
    [
      'rayne secrets rotate: done',
      `rayne tokens revoke ${token.id}: done`,
      'rayne tokens add t: done',
      'rayne users remove ada: done',
      'rayne users password ada: done',
      'rayne users add ada: done',
      'rayne jobs retry: done'
    ]
  )
  for (const { actor } of audit.entries) assert.match(actor, /^command line \S+/)

  const gone = await ask(['users', 'remove', 'ada', '--json'], env)
  const error = "there is no user named 'ada'; `rayne users` lists them"
  assert.deepEqual([gone.code, JSON.parse(gone.stdout)], [1, { error, code: 'user-not-found' }])
  assert.equal(gone.stderr, `rayne: ${error}\n`)
})

test('a changed password ends every session, and the old one is wrong', async t => {
  const env = { DATABASE_URL: urlOf(await createTestDatabase(t)) }
  const password = async (...args: string[]): Promise<string> =>
    (JSON.parse((await ask([...args, '--json'], env)).stdout) as { password: string }).password
  const first = await password('users', 'add', 'ada')
  const second = await password('users', 'password', 'ada')
  const short = await ask(['users', 'password', 'ada', '--password', 'short'], env)
  const own = 'correct horse battery'
  const given = await ask(['users', 'password', 'ada', '--password', own, '--json'], env)
  const nobody = await ask(['users', 'password', 'bob'], env)
  assert.deepEqual([first.length, second.length], [20, 20])
  assert.deepEqual([short.code, given.code, nobody.code], [2, 0, 1])
  assert.deepEqual(JSON.parse(given.stdout), { name: 'ada' }, 'what was given is not shown')
  assert.match(nobody.stderr, /^rayne: there is no user named 'bob'; `rayne users` lists them\n$/)
})

test('what others wrote does nothing to the terminal', async t => {
  const env = { DATABASE_URL: urlOf(await createTestDatabase(t)) }
  const hostile = 'ada\u009b31m\u202eevil'
  assert.equal((await ask(['tokens', 'add', hostile, '--scope', 'read'], env)).code, 0)
  const { stdout } = await ask(['tokens'], env)
  assert.match(stdout, /ada\ufffd31m\ufffdevil/)
  const { stderr } = await ask(['users', 'remove', 'a\u202eb'], env)
  assert.match(stderr, /'a\ufffdb'/)
})

const misused: readonly (readonly [string, RegExp])[] = [
  ['bogus', /^rayne: unknown command 'bogus'; /],
  ['job', /^rayne: unknown command 'job' \(did you mean jobs\?\); /],
  ['users ad x', /^rayne users: 'ad' is not one of its commands: add, password, remove; /],
  ['secrets', /^rayne secrets: needs one of its commands: rotate; /],
  ['users add', /^rayne users add: missing required argument 'name'; /],
  ["users add ''", /^rayne users add: <name> must NOT have fewer than 1 characters; /],
  ['users add a --password short', /^rayne users add: --password must NOT have fewer than 12/],
  ['users add a --role boss', /^rayne users add: --role must be one of admin, member; /],
  ['tokens add t', /^rayne tokens add: --scope is required; /],
  [
    'tokens add t --scope all',
    /--scope must be one of ingest, read, write, admin, tools, webhooks, datacat/
  ],
  ['tokens add t --scope read --days -1', /^rayne tokens add: --days must be >= 1; /],
  ['tokens add t --scope read --days 1e9', /^rayne tokens add: --days must be <= 3650; /],
  ['tokens revoke x', /^rayne tokens revoke: <id> must match pattern/],
  ['jobs --state gone', /^rayne jobs: --state must be one of created, retry, active/],
  ['jobs --per-page Infinity', /^rayne jobs: --per-page must be a finite number; /],
  ['jobs --page 1e400', /^rayne jobs: --page must be a finite number; /],
  ['jobs retry abc', /^rayne jobs retry: <id> must match format "uuid"; /],
  ['jobs --state failed retry', /^rayne jobs retry: --state belongs to 'rayne jobs'; /],
  ['start now', /^rayne start: too many arguments for 'start'/],
  ['receive x.json --wait abc', /^rayne receive: --wait must be integer; /],
  ['record x.json --account a', /^rayne record: --monitor is required; /],
  ['simulator --port 1', /^rayne simulator: unknown option '--port'/]
]
for (const [line, sentence] of misused)
  test(`\`rayne ${line}\` is one sentence and exit code 2, and opens nothing`, async t => {
    const home = path.join(emptyFolder(t), 'home')
    const args = line.split(' ').map(word => (word === "''" ? '' : word))
    const { code, stdout, stderr } = await ask(args, { RAYNE_HOME: home })
    assert.deepEqual([code, stdout], [2, ''], stderr)
    assert.match(stderr, sentence)
    assert.match(stderr, /; `rayne[ a-z]* --help` shows how it is called\n$/)
    assert.equal(stderr.trim().split('\n').length, 1, stderr)
    assert.ok(!existsSync(home))
  })

const namesOf = ({ stdout }: Ended): string[] =>
  [...stdout.matchAll(/^ {2}([a-z][a-z-]*) /gm)].map(([, name = '']) => name).toSorted()

test('the help lists the commands of every plugin without a database, also when one cannot be asked', async t => {
  const home = path.join(emptyFolder(t), 'home')
  const all = await ask(['--help'], { RAYNE_HOME: home })
  assert.deepEqual(
    [all.code, all.stderr, namesOf(all).join(' ')],
    [
      0,
      '',
      'analyse audit doctor help jobs mcp migrate notify-server receive record secrets simulator start tokens tools users'
    ]
  )
  const some = await ask(['help'], { RAYNE_HOME: home, RAYNE_PLUGINS: 'webhooks' })
  assert.deepEqual(
    namesOf(some).filter(name => ['receive', 'record', 'simulator'].includes(name)),
    ['receive']
  )
  const wrong = await ask(['--help'], { RAYNE_HOME: home, RAYNE_RCA_CONCURRENCY: 'many' })
  assert.ok(!namesOf(wrong).includes('record') && namesOf(wrong).includes('receive'))
  assert.match(wrong.stdout, /'rca' could not .*: RAYNE_RCA_CONCURRENCY must be integer/)
  const one = await ask(['tokens', 'add', '--help'], { RAYNE_HOME: home })
  assert.match(
    one.stdout,
    /--scope <scope\.\.\.> +\(ingest, read, write, admin, tools, webhooks,\s+datacat\)/
  )
  assert.match((await ask(['--version'], {})).stdout, /^\d+\.\d+\.\d+\n$/)
  assert.ok(!existsSync(home))
})

describe('in an empty folder', { concurrency: 2 }, () => {
  for (const args of [['users'], ['jobs', '--json'], ['doctor'], ['secrets', 'rotate']])
    test(`\`rayne ${args.join(' ')}\` makes no database, and says where it looked`, async t => {
      const cwd = emptyFolder(t)
      const { code, stderr } = await rayne(args, { cwd })
      assert.equal(code, 1)
      assert.ok(stderr.startsWith(`rayne: there is no database in '${cwd}/.rayne': `), stderr)
      assert.ok(!existsSync(path.join(cwd, '.rayne')))
    })
})

describe('a wrong environment is one sentence', { concurrency: 2 }, () => {
  const refused = async (args: string[], env: Variables, sentence: RegExp): Promise<void> => {
    const { code, stderr } = await ask(args, env)
    assert.deepEqual([code, stderr.trim().split('\n').length], [1, 1], stderr)
    assert.match(stderr, sentence)
  }
  const databases: readonly (readonly [string, RegExp])[] = [
    ['rayne', /^rayne: DATABASE_URL is no address of a PostgreSQL: it takes postgres:\/\//],
    ['mysql://a@b/c', /^rayne: DATABASE_URL is no address of a PostgreSQL/],
    ['postgres://a:p/w@h/d', /^rayne: DATABASE_URL is no address .*%2F/],
    ['postgres://u@nowhere.invalid/d', /'d' at nowhere\.invalid:5432 as user 'u' .*: no such host/],
    ['postgres://u@127.0.0.1:1/d', /'d' at 127\.0\.0\.1:1 as user 'u' .*: nothing listens there/]
  ]
  for (const [url, sentence] of databases)
    test(`DATABASE_URL=${url}`, () => refused(['users'], { DATABASE_URL: url }, sentence))

  test('DATABASE_URL with a wrong password, or of a database that is not there', async t => {
    const connection = await createTestDatabase(t)
    const url = urlOf(connection)
    const wrong = { DATABASE_URL: url.replace(/:[^:@/]+@/, ':hunter2-hunter2@') }
    await refused(['jobs'], wrong, /as user 'rayne' .*: the password is wrong \(28P01\)\n$/)
    await refused(
      ['migrate'],
      { DATABASE_URL: url.replace(connection.database, 'nowhere') },
      /'nowhere' at .*: there is no such database; make it with CREATE DATABASE \(3D000\)\n$/
    )
  })

  const names: readonly (readonly [Variables, RegExp])[] = [
    [{ RAYNE_HOEM: '/tmp' }, /RAYNE_HOEM is no setting .*; near it are RAYNE_HOME, /],
    [{ RAYNE_RCA_CONCURENCY: '1' }, /RAYNE_RCA_CONCURENCY is no setting .*RAYNE_RCA_CONCURRENCY/],
    [{ RAYNE_TYPO: '1', RAYNE_PLUGINS: 'webhooks' }, /RAYNE_TYPO is no setting/],
    [{ RAYNE_AUTH: 'none' }, /^rayne: RAYNE_AUTH must be one of local, required\n$/],
    [{ RAYNE_ROLE: 'boss' }, /^rayne: RAYNE_ROLE must be one of web, worker, 'web,worker'/],
    [{ RAYNE_INGEST_SECRETS: 'abc' }, /^rayne: RAYNE_INGEST_SECRETS: each secret needs at least/],
    [{ RAYNE_HOME: '' }, /there is no database in/],
    [{ PORT: 'http' }, /^rayne: PORT must be integer\n$/]
  ]
  for (const [env, sentence] of names)
    test(Object.entries(env).flat().join(' '), () =>
      refused(['migrate'], { RAYNE_HOME: '/nowhere', ...env }, sentence)
    )

  const settings: readonly (readonly [Variables, RegExp])[] = [
    [{ RAYNE_DEMO_MODE: 'maybe' }, /^rayne: RAYNE_DEMO_MODE must be one of auto, on, off\n$/],
    [{ RAYNE_DATACAT_HUNG_AFTER_SECONDS: 'abc' }, /RAYNE_DATACAT_HUNG_AFTER_SECONDS must be number/]
  ]
  for (const [env, sentence] of settings)
    test(Object.entries(env).flat().join(' '), async t => {
      const { connectionString } = { connectionString: urlOf(await createTestDatabase(t)) }
      await refused(['migrate'], { DATABASE_URL: connectionString, ...env }, sentence)
    })
})
