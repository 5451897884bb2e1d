import assert from 'node:assert/strict'
import path from 'node:path'
import { describe, test } from 'node:test'
import { epochMs } from '../../../core/index.ts'
import type { DatadogRows } from '../contract.ts'
import type { OpenAccount } from '../service/client/account.ts'
import type { Prepare } from './contract/exercise.ts'
import { driftOf } from './contract/drift.ts'
import { instantOf } from './contract/instants.ts'
import { operations } from './contract/operations.ts'
import { loadRecordings, readRecording, type Recording } from './contract/recordings.ts'
import { replay } from './contract/replay.ts'

/** Recordings that were made up: each file is one way in which recordings differ from each other. */
const recordings = loadRecordings(path.join(import.meta.dirname, 'recordings'))
const fileOf = (name: string): Recording[] => recordings.filter(one => one.file === `${name}.json`)

describe('a client that does what the contract says passes', () => {
  const files: readonly (readonly [string, number])[] = [
    ['times', 13],
    ['left-out', 26],
    ['renames', 5],
    ['gone-and-null', 17],
    ['driven-fields', 17],
    ['other-pages', 18],
    ['other-errors', 21],
    ['odd-successes', 27],
    ['other-ids', 9],
    ['other-writing', 8]
  ]
  for (const [name, driven] of files)
    test(`recordings with ${name.replaceAll('-', ' ')}`, async () => {
      const found = await replay(fileOf(name))
      assert.deepEqual(
        found.outcomes.filter(one => !one.passed).map(one => `${one.what}: ${one.note}`),
        []
      )
      assert.equal(found.driven, driven)
    })

  test('and every operation it uses is among them', () => {
    const ops = new Set(recordings.flatMap(one => one.interactions.map(({ op }) => op)))
    assert.deepEqual(
      Object.keys(operations).filter(op => !ops.has(op)),
      ['v2.ServiceDefinitionApi.createOrUpdateServiceDefinitions']
    )
    assert.deepEqual(
      recordings.map(one => one.file.replace('.json', '')).toSorted(),
      files.map(([name]) => name).toSorted()
    )
  })

  test('and what it has no input for is named', async () => {
    const named = async (name: string, op: string): Promise<string[]> =>
      (await replay(fileOf(name))).outcomes
        .filter(one => one.what.startsWith(op))
        .flatMap(one => one.notDriven)
    assert.deepEqual(
      await named('renames', 'v1.WebhooksIntegrationApi.updateWebhooksIntegration'),
      ['body.name']
    )
    assert.deepEqual(await named('driven-fields', 'v2.DowntimesApi.createDowntime'), [
      'body.data.attributes.schedule.recurrences.0.rrule',
      'body.data.attributes.schedule.recurrences.0.duration',
      'body.data.attributes.schedule.timezone',
      'body.data.attributes.mute_first_recovery_notification'
    ])
    assert.deepEqual(await named('driven-fields', 'v1.WebhooksIntegrationApi'), [])
    assert.deepEqual(await named('driven-fields', 'v1.EventsApi.createEvent'), ['body.priority'])
  })
})

const without = <T extends object, K extends keyof T>(value: T, key: K): Omit<T, K> => {
  const { [key]: _left, ...rest } = value
  return rest
}
const changed = <T>(found: DatadogRows<T>, change: (rows: readonly T[]) => readonly T[]) => ({
  ...found,
  rows: change(found.rows)
})
const HOUR_MS = 3_600_000

/** Clients with one fault each, and an operation whose recordings must show it. */
const faults: Readonly<Record<string, readonly [string, Prepare]>> = {
  'rows in another order': [
    'v2.LogsApi.listLogs',
    account => ({
      ...account,
      logs: async (...asked) => changed(await account.logs(...asked), rows => rows.toReversed())
    })
  ],
  'a forgotten index': [
    'v2.LogsApi.listLogs',
    account => ({
      ...account,
      logs: (search, options) => account.logs(without(search, 'indexes'), options)
    })
  ],
  'the wrong order asked for': [
    'v2.LogsApi.listLogs',
    account => ({
      ...account,
      logs: (search, options) => account.logs({ ...search, sort: 'newest' }, options)
    })
  ],
  'a window that is an hour off': [
    'v2.EventsApi.searchEvents',
    account => ({
      ...account,
      events: ({ window, ...search }, options) =>
        account.events(
          { ...search, window: { ...window, from: epochMs(window.from - HOUR_MS) } },
          options
        )
    })
  ],
  'a page that is not read': [
    'v2.EventsApi.searchEvents',
    account => ({
      ...account,
      events: (search, options) => account.events({ ...search, limit: 3 }, options)
    })
  ],
  'a parent of no span': [
    'v2.SpansApi.listSpans',
    account => ({
      ...account,
      spans: async (...asked) =>
        changed(await account.spans(...asked), rows => rows.map(row => ({ parentId: '0', ...row })))
    })
  ],
  'a priority made up': [
    'v1.MonitorsApi.getMonitor',
    account => ({
      ...account,
      monitor: async (...asked) => ({ ...(await account.monitor(...asked)), priority: 3 })
    })
  ],
  'a partial bucket kept': [
    'v1.MetricsApi.queryMetrics',
    account => ({
      ...account,
      metric: async (...asked) =>
        changed(await account.metric(...asked), rows =>
          rows.map(row => ({ ...row, points: [...row.points, { at: epochMs(1), value: 9 }] }))
        )
    })
  ],
  'tags lost': [
    'v1.HostsApi.listHosts',
    account => ({
      ...account,
      hosts: async (...asked) =>
        changed(await account.hosts(...asked), rows => rows.map(row => ({ ...row, tags: [] })))
    })
  ],
  'an end that is not sent': [
    'v2.DowntimesApi.createDowntime',
    account => ({
      ...account,
      createDowntime: (draft, options) => account.createDowntime({ ...draft, to: null }, options)
    })
  ],
  'headers that are not sent': [
    'v1.WebhooksIntegrationApi.createWebhooksIntegration',
    account => ({
      ...account,
      createWebhook: async (draft, options) =>
        without(await account.createWebhook(without(draft, 'customHeaders'), options), 'encodeAs')
    })
  ],
  'a webhook where there is none': [
    'v1.WebhooksIntegrationApi.getWebhooksIntegration',
    account => ({
      ...account,
      webhook: async (name, options) => (await account.webhook(name, options)) ?? { name, url: '' }
    })
  ],
  'the new name for the old one': [
    'v1.WebhooksIntegrationApi.updateWebhooksIntegration',
    account => ({
      ...account,
      updateWebhook: (draft, options) => account.updateWebhook({ ...draft, name: 'bell' }, options)
    })
  ],
  'a notebook under another name': [
    'v1.NotebooksApi.createNotebook',
    account => ({
      ...account,
      createNotebook: (draft, options) => account.createNotebook({ ...draft, name: 'x' }, options)
    })
  ],
  'tags of an event that are not sent': [
    'v1.EventsApi.createEvent',
    account => ({
      ...account,
      createEvent: (draft, options) => account.createEvent({ ...draft, text: 'x' }, options)
    })
  ],
  'a group lost': [
    'v2.LogsApi.aggregateLogs',
    account => ({
      ...account,
      aggregateLogs: async (...asked) =>
        changed(await account.aggregateLogs(...asked), rows => rows.slice(1))
    })
  ],
  'keys that are never refused': [
    'v1.AuthenticationApi.validate',
    account => ({ ...account, validate: () => account.validate().catch(() => {}) })
  ],
  'a failure taken for nothing': [
    'v1.TagsApi.getHostTags',
    account => ({
      ...account,
      hostTags: (...asked) => account.hostTags(...asked).catch((): readonly string[] => [])
    })
  ]
}

describe('a client with a fault is caught', () => {
  for (const [name, [op, prepare]] of Object.entries(faults))
    test(name, async () => {
      const own = recordings.map(one => ({
        ...one,
        interactions: one.interactions.filter(interaction => interaction.op === op)
      }))
      const failed = (await replay(own, prepare)).outcomes.filter(one => !one.passed)
      assert.ok(failed.length > 0, `${op} passed`)
    })

  test('and a client without one is not', async () => {
    const untouched: Prepare = (account: OpenAccount) => ({ ...account })
    const { outcomes } = await replay(recordings, untouched)
    assert.ok(outcomes.every(one => one.passed))
  })
})

test('a time is read however a recording writes it', () => {
  const at = Date.UTC(2031, 4, 6, 10)
  for (const value of [at, at / 1000, String(at), String(at / 1000), ` ${at / 1000} `, 'now'])
    assert.equal(instantOf(value, at), at, String(value))
  for (const text of ['2031-05-06T10:00:00Z', '2031-05-06T12:00:00.000+02:00'])
    assert.equal(instantOf(text, 0), at, text)
  assert.deepEqual(
    ['now-15m', 'now+1h', 'now - 2d', 'now-1w'].map(text => (instantOf(text, at) ?? NaN) - at),
    [-900_000, HOUR_MS, -48 * HOUR_MS, -168 * HOUR_MS]
  )
  for (const none of ['', 'soon', 'now-1y', null, undefined, {}, Number.NaN, '12'])
    assert.equal(instantOf(none, at), undefined, String(none))
})

test('two requests differ where their values do, not where only their writing does', () => {
  const request = (body: unknown) => ({ method: 'POST', path: '/', query: {}, body })
  const drift = (sent: unknown, recorded: unknown): string[] =>
    driftOf(request(sent), request(recorded), 0).map(({ kind, at }) => `${kind} ${at}`)
  assert.deepEqual(drift({ a: '1', b: null, c: [] }, { a: 1 }), [])
  assert.deepEqual(drift({ at: '2031-05-06T10:00:00.000Z' }, { at: '1935828000' }), [])
  assert.deepEqual(drift({ headers: '{"a":"b"}' }, { headers: '{ "a": "b" }' }), [])
  assert.deepEqual(drift({ headers: '{"a":"b"}' }, { headers: '{"a":"c"}' }), [
    'changed body.headers'
  ])
  assert.deepEqual(drift({ a: { b: [1, 2] } }, { a: { b: [1, 3], c: 1 } }), [
    'changed body.a.b.1',
    'not sent body.a.c'
  ])
})

test('a file that is no recording is refused by its name', () => {
  assert.throws(() => readRecording('x.json', { name: 'x' }), /x\.json is not a recording/)
  assert.throws(() => readRecording('x.json', null), /x\.json is not a recording/)
  assert.throws(
    () => readRecording('x.json', { interactions: [{ request: {}, response: {} }] }),
    /x\.json: an interaction lacks its request's path or its response's status/
  )
})
