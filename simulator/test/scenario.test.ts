import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'node:test'
import { rayne as runRayne } from '../../core/testing.ts'
import { compileEffect } from '../world/effects.ts'
import { loadScenario, type EffectSpec, type ScenarioFile } from '../scenarios/load-scenario.ts'
import { causeClasses, remedyClasses } from '../scenarios/words.ts'
import type { SimAccount } from '../simulator.ts'
import { accountOf, call, MINUTE, NOW, startSimulator, T0 } from './client.ts'
import {
  nth,
  type EventItem,
  type LogItem,
  type One,
  type Page,
  type SeriesAnswer
} from './wire.ts'

const rayne = fileURLToPath(new URL('../../core/bin.js', import.meta.url))
const file = (): ScenarioFile =>
  JSON.parse(readFileSync(new URL('../scenarios/s1.json', import.meta.url), 'utf8')) as ScenarioFile

/** A copy with one field set, or with undefined left out. */
function bent(value: unknown, [key, ...rest]: readonly string[], to: unknown): unknown {
  if (key === undefined) return to
  if (Array.isArray(value))
    return value.map((item, i) => (String(i) === key ? bent(item, rest, to) : item))
  const fields = { ...(value as Record<string, unknown>) }
  fields[key] = bent(fields[key], rest, to)
  if (fields[key] === undefined) delete fields[key]
  return fields
}

test('a bad scenario is refused and its bad field is named', () => {
  const broken: readonly (readonly [string, unknown, RegExp])[] = [
    ['effects.0.type', 'wobble', /\/effects\/0\/type/],
    ['effects.0.dur', undefined, /\/effects\/0\/dur/],
    ['effects.0.metric', 'no.such', /\/effects\/0\/metric names the metric 'no.such'/],
    ['events.0.titel', 'x', /\/events\/0\/titel/],
    ['truth.component', undefined, /\/truth\/component/],
    ['truth.distractors', file().truth?.distractors.slice(2), /\/truth\/distractors/],
    ['truth.trigger.ref', 'nothing', /\/truth\/trigger\/ref/],
    [
      'services.0.deployments.0.hosts',
      ['app-99'],
      /\/services\/\d+\/deployments\/0\/hosts names the host 'app-99'/
    ],
    ['alert.monitor', 'none', /\/alert\/monitor/],
    ['id', undefined, /\/id/],
    ['logs.0.rate', 'many', /\/logs\/0\/rate/]
  ]
  for (const [path, to, message] of broken)
    assert.throws(
      () => loadScenario(bent(file(), path.split('.'), to) as ScenarioFile),
      message,
      path
    )
  assert.doesNotThrow(() => loadScenario(file()))
  for (const name of ['../s1', '/etc/passwd', 'no-such'])
    assert.throws(() => loadScenario(name), Error, name)
})

test('a scenario is loaded from a file anywhere, with what it extends beside it', t => {
  const folder = mkdtempSync(join(tmpdir(), 'scenario-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const write = (name: string, value: unknown): string => {
    const path = join(folder, name)
    writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value))
    return path
  }
  const named = { ...file(), id: 'elsewhere' }
  assert.equal(loadScenario(write('elsewhere.json', named)).full.id, 'elsewhere')
  const world = loadScenario('base').full
  write('own-base.json', { ...world, id: 'own-base', title: 'Another shop' })
  for (const to of ['own-base', './own-base.json'])
    assert.equal(
      loadScenario(write('over.json', { ...named, extends: to })).calm.title,
      'Another shop'
    )
  const bad = { ...named, truth: { ...named.truth, class: 'gremlins' } }
  for (const [path, message] of [
    [write('bad.json', bad), /bad\.json' is not valid: \/truth\/class .*change\.deploy/],
    [write('text.json', '{ not json'), /text\.json' is not valid: it is no JSON/],
    [join(folder, 'absent.json'), /absent\.json' cannot be read: ENOENT/]
  ] as const)
    assert.throws(() => loadScenario(path), message)
})

test('what no event set off needs none, and a whole world needs nothing below it', () => {
  const { truth } = file()
  assert.ok(truth)
  for (const trigger of [null, { kind: 'none' }, { kind: 'none', ref: null }])
    assert.doesNotThrow(() => loadScenario({ ...file(), truth: { ...truth, trigger } }))
  const { extends: base, ...whole } = { ...loadScenario(file()).full, extends: '' }
  assert.equal(base, '')
  const { full, calm } = loadScenario(whole)
  assert.deepEqual([full.effects.length > 0, calm.effects.length], [true, 0])
})

interface Words {
  readonly enum: readonly string[]
}
interface Schema {
  $defs: {
    truth: { properties: { class: Words; remediation: { properties: { class: Words } } } }
  }
}

test('the words of a truth are those of the report', () => {
  const schema = JSON.parse(
    readFileSync(new URL('../scenarios/schema.json', import.meta.url), 'utf8')
  ) as Schema
  const { class: kind, remediation } = schema.$defs.truth.properties
  assert.deepEqual(kind.enum, causeClasses)
  assert.deepEqual(remediation.properties.class.enum, remedyClasses)
})

test('effects have the shape they name', () => {
  const at = (spec: Partial<EffectSpec>, seconds: number): number =>
    compileEffect(
      { why: '', type: 'step', at: 10, dur: 20, mag: 3, ...spec } as EffectSpec,
      0
    ).apply(10, seconds * 1000)
  assert.deepEqual([at({}, 9), at({}, 10), at({}, 29), at({}, 30)], [10, 30, 30, 10])
  assert.deepEqual(
    [
      at({ type: 'ramp', op: 'add' }, 10),
      at({ type: 'ramp', op: 'add' }, 20),
      at({ type: 'ramp', op: 'add' }, 500)
    ],
    [10, 11.5, 13]
  )
  assert.deepEqual(
    [
      at({ type: 'ramp', op: 'set', until: 40 }, 35),
      at({ type: 'ramp', op: 'set', until: 40 }, 40)
    ],
    [3, 10]
  )
  assert.deepEqual(
    [at({ type: 'sawtooth', op: 'add' }, 25), at({ type: 'sawtooth', op: 'add' }, 35)],
    [12.25, 10.75]
  )
  assert.deepEqual(
    [at({ type: 'spike', op: 'add' }, 20), at({ type: 'spike', op: 'add' }, 30)],
    [13, 10]
  )
  assert.equal(compileEffect({ why: '', type: 'dropout', at: 0, dur: 5 }, 0).removes(1000), true)
})

test('an effect of any kind needs data only: a dropout empties its series', async context => {
  const scenario: ScenarioFile = {
    ...file(),
    effects: [
      {
        why: 'test',
        type: 'dropout',
        metric: 'system.load.1',
        scope: { host: 'web-01' },
        at: -300,
        dur: 300
      }
    ]
  }
  const simulator = await startSimulator(context, { scenario })
  const { series } = (
    await call<SeriesAnswer>(
      accountOf(simulator),
      'GET',
      `/api/v1/query?from=${T0 / 1000 - 600}&to=${T0 / 1000 + 300}&query=avg:system.load.1{host:web-01}`
    )
  ).body
  const points = nth(series, 0).pointlist
  assert.ok(points.every(([at, value]) => (value === null) === (at >= T0 - 300_000 && at < T0)))
})

interface State {
  readonly accounts: readonly { monitors: readonly { name: string; status: string }[] }[]
  readonly now: string
  readonly seed: number
  readonly t0: string
  readonly error: string
}
const getJson = async <T>(url: string): Promise<T> => (await fetch(url)).json() as Promise<T>

test('the control plane moves the clock, changes the scenario and tells the state', async context => {
  const simulator = await startSimulator(context)
  const post = async (path: string, body: object): Promise<State> =>
    (
      await fetch(`${simulator.controlUrl}/__sim/${path}`, {
        method: 'POST',
        body: JSON.stringify(body)
      })
    ).json() as Promise<State>
  const state = async (at: number) =>
    nth((await post('clock', { now: at })).accounts, 0).monitors.find(
      m => m.name === 'checkout-api 5xx rate'
    )?.status
  assert.deepEqual(
    [await state(T0), await state(T0 + 2 * MINUTE), await state(T0 + 3 * MINUTE)],
    ['OK', 'Warn', 'Alert']
  )
  const logs = async (): Promise<number> =>
    (
      await call<Page<LogItem>>(accountOf(simulator), 'POST', '/api/v2/logs/events/search', {
        filter: { query: 'TypeError', from: 'now-5m' },
        page: { limit: 1000 }
      })
    ).body.data.length
  await post('clock', { now: new Date(T0 - MINUTE).toISOString() })
  assert.equal(await logs(), 0)
  await post('clock', { advance_ms: 10 * MINUTE })
  assert.ok((await logs()) > 900)
  assert.equal((await post('reset', {})).now, new Date(NOW).toISOString())
  const moved = await post('scenario', { scenario: 's1', seed: 9, t0: T0 - 3_600_000 })
  assert.deepEqual([moved.seed, moved.t0], [9, new Date(T0 - 3_600_000).toISOString()])
  assert.notEqual(accountOf(simulator).apiKey, '')
  assert.match((await post('scenario', { scenario: '../../package' })).error, /not a scenario id/)
  assert.deepEqual(
    (await getJson<{ entries: unknown[] }>(`${simulator.controlUrl}/__sim/journal`)).entries,
    []
  )
  assert.equal((await fetch(`${simulator.controlUrl}/__sim/nothing`)).status, 404)
})

test('the command prints its urls as one line, serves, and ends on SIGTERM', async () => {
  const child = spawn(
    process.execPath,
    [rayne, 'simulator', '--scenario', 's1', '--t0', new Date(T0).toISOString(), '--json'],
    { stdio: ['ignore', 'pipe', 'inherit'] }
  )
  const [chunk] = (await once(child.stdout, 'data')) as [Buffer]
  const line = JSON.parse(chunk.toString()) as { t0: string; accounts: SimAccount[] }
  assert.equal(line.t0, new Date(T0).toISOString())
  assert.equal((await call(nth(line.accounts, 0), 'GET', '/api/v1/validate')).status, 200)
  child.kill('SIGTERM')
  assert.deepEqual(await once(child, 'exit'), [0, null])
})

test('the command says what is wrong with its arguments', async () => {
  const child = spawn(process.execPath, [rayne, 'simulator', '--scenario', 's99'], {
    stdio: ['ignore', 'ignore', 'pipe']
  })
  const [[chunk], [code]] = (await Promise.all([
    once(child.stderr, 'data'),
    once(child, 'exit')
  ])) as [[Buffer], [number]]
  assert.match(chunk.toString(), /s99/)
  assert.equal(code, 1)
})

test('the command greets people with addresses and keys, and refuses what it does not understand', async () => {
  const child = spawn(
    process.execPath,
    [
      rayne,
      'simulator',
      '--scenario',
      fileURLToPath(new URL('../scenarios/s5.json', import.meta.url)),
      '--speed',
      '60',
      '--seed',
      '3'
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] }
  )
  const [chunk] = (await once(child.stdout, 'data')) as [Buffer]
  const text = chunk.toString()
  const control = /control {2}(\S+)/.exec(text)?.[1] ?? ''
  for (const wanted of [
    /Datadog {2}http:\/\/127\.0\.0\.1:\d+/,
    /api key {2}[0-9a-f]{32}/,
    /us1 \(datadoghq\.com\)/,
    /Ctrl-C/
  ])
    assert.match(text, wanted)
  const now = async (): Promise<number> =>
    Date.parse((await getJson<State>(`${control}/__sim/state`)).now)
  const [before] = [await now(), await new Promise(resolve => setTimeout(resolve, 100))]
  assert.ok((await now()) - before > 5000, 'an hour a minute')
  child.kill('SIGINT')
  assert.deepEqual(await once(child, 'exit'), [0, null])
})

test('options that are wrong are named', async () => {
  const wrong: readonly (readonly [string[], RegExp])[] = [
    [['--seed', 'x'], /--seed must be integer/],
    [['--speed', '-1'], /--speed must be >= 0/],
    [['--latency', 'slow'], /--latency must be one of none, realistic/],
    [['--t0', 'soon'], /--t0 must match format "date-time"/],
    [['--wobble'], /--wobble/]
  ]
  await Promise.all(
    wrong.map(async ([args, message]) => {
      const { code, stderr } = await runRayne(['simulator', ...args])
      assert.equal(code, 2)
      assert.match(stderr, message)
    })
  )
})

test('a variant retells the story under other names, everywhere, and at another strength', async context => {
  const plain = await startSimulator(context, { scenario: 's2' })
  const told = await startSimulator(context, { scenario: 's2', variant: 2 })
  const old =
    /(checkout|web|acme|search)-(api|gateway|pay|svc)|inventory-svc|payments-svc|reporting-worker|orders-db/
  const paths = [
    '/api/v1/monitor?group_states=all',
    '/api/v1/hosts',
    '/api/v1/tags/hosts',
    '/api/v2/services/definitions?page[size]=100',
    `/api/v2/logs/events?filter[from]=${T0}&filter[to]=${NOW}&page[limit]=1000`,
    `/api/v2/events?filter[from]=${T0 - 60 * MINUTE}&filter[to]=${NOW}&page[limit]=1000`,
    `/api/v2/spans/events?filter[from]=${T0}&filter[to]=${NOW}&page[limit]=1000`,
    '/api/v1/slo',
    '/api/v2/apm/services?filter[env]=prod'
  ]
  for (const path of paths) {
    const answer = await call(accountOf(told), 'GET', path)
    assert.equal(answer.status, 200, path)
    assert.equal(old.exec(answer.text)?.[0], undefined, path)
    assert.match((await call(accountOf(plain), 'GET', path)).text, old, path)
  }
  const truth = JSON.stringify(told.truth)
  assert.doesNotMatch(truth, old)
  assert.ok(told.truth)
  const { component, trigger } = told.truth
  const events = (await call<Page<EventItem>>(accountOf(told), 'GET', paths[5] ?? '')).body.data
  assert.ok(events.some(event => event.id === trigger.id))
  assert.ok(
    (
      await call<One<{ services: string[] }>>(
        accountOf(told),
        'GET',
        `/api/v2/apm/services?filter[env]=prod`
      )
    ).body.data.attributes.services.includes(component)
  )
  assert.notEqual(
    JSON.stringify((await startSimulator(context, { scenario: 's2', variant: 3 })).truth),
    truth
  )
})
