import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test, type TestContext } from 'node:test'
import type { Knex } from '../../../core/index.ts'
import { createTestApp, createTestDatabase } from '../../../core/testing.ts'
import { DatadogToken, SecretsToken, type DatadogService, type Secrets } from '../contract.ts'
import proxy from '../plugin.ts'
import { createKeyRing, keyIdOf, unseal } from '../service/seal.ts'
import { accountStore, placeOf } from '../store.ts'
import { homeOf } from './two-sites.ts'

type App = Awaited<ReturnType<typeof createTestApp>>
const planted = {
  apiKey: 'PlantedApiKey0123456789abcdef',
  appKey: 'PlantedAppKey0123456789abcdef',
  second: 'PlantedSecond0123456789abcdef',
  seeded: 'PlantedSeeded0123456789abcdef'
}
const { datadog: datadogOf, secrets: secretsOf } = {
  datadog: (app: App): DatadogService =>
    app.services.resolve({ one: DatadogToken })['one'] as DatadogService,
  secrets: (app: App): Secrets => app.services.resolve({ one: SecretsToken })['one'] as Secrets
}

async function textsOf(db: Knex, table: string): Promise<string[]> {
  const { rows } = await db.raw(`select t::text as row from ${table} t`)
  return (rows as { row: string }[]).map(row => row.row)
}

/** Everything every table of the database holds, as text. */
async function dump(db: Knex): Promise<string> {
  const { rows: tables } = await db.raw(
    "select format('%I.%I', schemaname, tablename) as name from pg_tables where " +
      "schemaname not in ('pg_catalog', 'information_schema')"
  )
  const texts = await Promise.all(
    (tables as { name: string }[]).map(async ({ name }) =>
      [name, ...(await textsOf(db, name))].join('\n')
    )
  )
  return texts.join('\n')
}

/**
 * A Datadog that repeats the keys it was sent: in a refusal, in an answer that is no JSON, or as the reason of a lost
 * connection.
 */
function echoingDatadog(t: TestContext): void {
  const real = globalThis.fetch
  t.mock.method(
    globalThis,
    'fetch',
    async (input: Parameters<typeof fetch>[0], init?: RequestInit) => {
      const { hostname } = new URL(String(input))
      if (hostname === '127.0.0.1') return real(input, init)
      const headers = new Headers(init?.headers)
      const said = `key ${headers.get('dd-api-key')} and ${headers.get('dd-application-key')}`
      if (hostname.includes('us3'))
        throw new TypeError('fetch failed', { cause: new Error(`cannot connect with ${said}`) })
      if (hostname.includes('us5'))
        return new Response(`<html><title>${said}</title>`, {
          headers: { 'content-type': 'text/html' }
        })
      return Response.json({ errors: [said] }, { status: 403 })
    }
  )
}

test('a planted key is found nowhere in clear', async t => {
  echoingDatadog(t)
  const before = { ...process.env }
  t.after(() => {
    for (const name of ['DD_API_KEY', 'DD_APP_KEY', 'DD_SITE'])
      if (before[name] === undefined) delete process.env[name]
      else process.env[name] = before[name]
  })
  Object.assign(process.env, {
    DD_API_KEY: planted.seeded,
    DD_APP_KEY: planted.appKey,
    DD_SITE: 'datadoghq.eu'
  })
  const lines: string[] = []
  const app = await createTestApp(t, {
    plugins: [proxy],
    env: {
      RAYNE_HOME: homeOf(t),
      DD_API_KEY: planted.seeded,
      DD_APP_KEY: planted.appKey,
      DD_SITE: 'datadoghq.eu'
    },
    onLog: line => lines.push(line)
  })
  const environment = JSON.stringify(process.env)
  const seen: string[] = []
  const statuses = new Set<number>()
  const call = async (method: string, where: string, body?: unknown): Promise<void> => {
    const answer = await app.call(method, where, body)
    statuses.add(answer.status)
    seen.push(JSON.stringify(answer.body), JSON.stringify([...answer.headers]))
  }
  const keys = { api_key: planted.apiKey, app_key: planted.appKey }
  for (const [name, site] of [
    ['far', 'us3.datadoghq.com'],
    ['html', 'us5.datadoghq.com'],
    ['eu', 'datadoghq.eu']
  ]) {
    await call('POST', '/v1/accounts', { name, ...keys, site })
    await call('POST', `/v1/accounts/${name}/test`)
  }
  await call('PUT', '/v1/accounts/eu', { api_key: planted.second })
  for (const body of [
    { name: 'eu', ...keys },
    { ...keys },
    { name: planted.apiKey, ...keys },
    { name: 'x', ...keys, site: planted.apiKey },
    { name: 'x', ...keys, org_id: planted.apiKey },
    { name: 'x', api_key: `${planted.apiKey}\u0000`, app_key: planted.appKey },
    `{"name":"x","api_key":"${planted.apiKey}" oops`,
    { [planted.apiKey]: planted.appKey }
  ])
    await call('POST', '/v1/accounts', body)
  for (const where of [
    '/v1/accounts',
    '/v1/accounts/eu',
    '/v1/accounts/stats',
    `/v1/accounts/${planted.apiKey}`,
    `/v1/accounts?${planted.apiKey}=1`,
    `/nothing/${planted.appKey}`,
    '/openapi.json',
    '/readyz'
  ])
    await call('GET', where)
  for (const name of [undefined, 'far', 'html', 'eu', planted.apiKey])
    await datadogOf(app)
      .account(name)
      .then(account => account.monitor('7', { timeoutMs: 3_000 }))
      .catch((error: unknown) => seen.push(String(error)))
  seen.push(JSON.stringify(await app.health.report()), await dump(app.db))
  await app.db.raw('alter table datadog_proxy_accounts drop column org_name')
  await call('POST', '/v1/accounts', { name: 'broken', ...keys, org_name: 'x' })
  assert.deepEqual([...statuses].toSorted(), [200, 201, 400, 404, 409, 500])
  assert.ok(
    lines.length > 5 && seen.join('').includes('v1.') && seen.join('').includes('[redacted]')
  )
  for (const [what, text] of Object.entries({
    environment,
    answers: seen.join('\n'),
    logs: lines.join('')
  })) {
    for (const secret of Object.values(planted))
      assert.ok(
        !text.includes(secret),
        `${what}: …${text.slice(Math.max(0, text.indexOf(secret) - 200), text.indexOf(secret) + 20)}`
      )
  }
})

/** Stores `count` accounts in one process and starts two that share its key file. */
async function manyAccounts(
  t: TestContext,
  count: number
): Promise<{ app: App; other: App; home: string; keyOf: (n: number) => string }> {
  const connection = await createTestDatabase(t)
  const home = homeOf(t)
  const [app, other] = (await Promise.all(
    [1, 2].map(() => createTestApp(t, { plugins: [proxy], connection, env: { RAYNE_HOME: home } }))
  )) as [App, App]
  const keyOf = (n: number): string => `key-number-${n}-of-a-test`
  for (let n = 0; n < count; n += 25)
    await Promise.all(
      Array.from({ length: Math.min(25, count - n) }, (_, i) =>
        app.call('POST', '/v1/accounts', {
          name: `a${n + i}`,
          api_key: keyOf(n + i),
          app_key: `${keyOf(n + i)}-app`
        })
      )
    )
  for (
    const until = Date.now() + 5_000;
    (await datadogOf(other).list()).length < count;
    await sleep(50)
  )
    assert.ok(Date.now() < until, 'the other process does not see the accounts')
  return { app, other, home, keyOf }
}

const secretsIn = (home: string): string[] =>
  readFileSync(path.join(home, 'secret.key'), 'utf8').trim().split('\n')

/** Every row as a process that has just started reads it. */
async function readAll(
  db: Knex,
  home: string
): Promise<{ keys: Map<string, string>; keyIds: Set<string> }> {
  const ring = createKeyRing({ secret: '', previous: [], home })
  const rows = await accountStore.list(db)
  return {
    keys: new Map(
      rows.map(row => [row.name, unseal(ring, row.apiKeySealed, placeOf(row.id, 'api_key'))])
    ),
    keyIds: new Set(rows.flatMap(row => [keyIdOf(row.apiKeySealed), keyIdOf(row.appKeySealed)]))
  }
}

test('keys are rotated from another process under load, and no read and no write fails', async t => {
  const { app, other, home, keyOf } = await manyAccounts(t, 120)
  let stop = false
  let reads = 0
  const reading = Array.from({ length: 6 }, async (_, worker) => {
    for (let n = worker; !stop; n = (n + 7) % 120) {
      await datadogOf(n % 2 ? app : other).account(`a${n}`)
      reads++
      await new Promise(setImmediate)
    }
  })
  const writing = (async () => {
    for (let n = 0; !stop; n++) {
      const made = await app.call('POST', '/v1/accounts', {
        name: `new${n}`,
        api_key: keyOf(1000 + n),
        app_key: 'k'
      })
      const changed = await other.call('PUT', `/v1/accounts/a${n % 120}`, {
        api_key: keyOf(n % 120)
      })
      assert.deepEqual([made.status, changed.status], [201, 200])
    }
  })()
  const counts: number[] = []
  const ids = new Set<string>()
  try {
    for (let turn = 0; turn < 4; turn++) {
      counts.push((await secretsOf(other).rotate()).resealed)
      ids.add(secretsIn(home)[0] ?? '')
    }
  } finally {
    stop = true
  }
  await Promise.all([...reading, writing])
  const { keys, keyIds } = await readAll(app.db, home)
  assert.ok(
    counts.every(count => count >= 115) && reads > 100,
    `${counts.join(' ')} resealed, ${reads} reads`
  )
  assert.deepEqual([ids.size, secretsIn(home).length, keyIds.size], [4, 1, 1])
  for (const [name, key] of keys)
    assert.equal(
      key,
      keyOf(name.startsWith('new') ? 1000 + Number(name.slice(3)) : Number(name.slice(1))),
      name
    )
})

test(
  'a rotation that crashes in the middle loses nothing, is finished by the next one, ' +
    'and two never run at once',
  async t => {
    const { app, other, home, keyOf } = await manyAccounts(t, 130)
    const [old] = secretsIn(home)
    await app.db.raw(`create function crash() returns trigger language plpgsql as $$
    begin
      if new.id > 110 then raise exception 'the plug was pulled'; end if;
      return new;
    end $$;
    create trigger crash before update on datadog_proxy_accounts
    for each row execute function crash()`)
    await assert.rejects(secretsOf(app).rotate(), /the plug was pulled/)
    const half = await readAll(app.db, home)
    assert.deepEqual([half.keyIds.size, half.keys.size, secretsIn(home).length], [2, 130, 2])
    assert.equal((await datadogOf(other).account('a129')).name, 'a129')
    await app.db.raw('drop trigger crash on datadog_proxy_accounts')
    const results = await Promise.allSettled([secretsOf(app).rotate(), secretsOf(other).rotate()])
    const refused = results.find(result => result.status === 'rejected')
    if (refused) assert.match(String(refused.reason), /another process rotates the keys just now/)
    const { keys, keyIds } = await readAll(app.db, home)
    assert.deepEqual(
      [keyIds.size, secretsIn(home).length, secretsIn(home).includes(old ?? '')],
      [1, 1, false]
    )
    for (const [name, key] of keys) assert.equal(key, keyOf(Number(name.slice(1))))
  }
)

test(
  'a new RAYNE_SECRET_KEY opens what the previous one sealed, and rotation makes the ' +
    'previous one unnecessary',
  async t => {
    const connection = await createTestDatabase(t)
    const [first, second] = [
      'the first secret of thirty-two characters',
      'the second secret of thirty-two characters'
    ]
    const start = (env: Record<string, string>) =>
      createTestApp(t, { plugins: [proxy], connection, env: { RAYNE_HOME: homeOf(t), ...env } })
    const one = await start({ RAYNE_SECRET_KEY: first })
    await one.call('POST', '/v1/accounts', {
      name: 'prod',
      api_key: 'kkkkkkkk',
      app_key: 'pppppppp'
    })
    const without = await start({ RAYNE_SECRET_KEY: second })
    await assert.rejects(
      datadogOf(without).account(),
      /a stored secret cannot be read: no key of this installation has the id [0-9a-f]{12}: is RAYNE_SECRET_KEY/
    )
    assert.equal(
      (await without.call('GET', '/v1/accounts/prod')).status,
      200,
      'what needs no key goes on'
    )
    await assert.rejects(secretsOf(without).rotate(), /cannot be read/)
    const both = await start({ RAYNE_SECRET_KEY: second, RAYNE_SECRET_KEY_PREVIOUS: first })
    assert.deepEqual(
      [await secretsOf(both).rotate(), await secretsOf(both).rotate()],
      [{ resealed: 1 }, { resealed: 0 }]
    )
    assert.equal(
      (await datadogOf(await start({ RAYNE_SECRET_KEY: second })).account()).name,
      'prod'
    )
  }
)
