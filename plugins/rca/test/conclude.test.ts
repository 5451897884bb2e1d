import assert from 'node:assert/strict'
import test from 'node:test'
import { epochMs } from '../../../core/index.ts'
import type { EvidenceRow, EvidenceSlot } from '../contract.ts'
import { blameOfSide, sidesOf } from '../service/compare-sides.ts'
import { diagnose } from '../service/diagnose.ts'
import { isGrowing } from '../service/growth.ts'
import { measureServices } from '../service/measure-services.ts'
import { isNotice } from '../service/notices.ts'
import { alertOf } from './alert.ts'

const minute = 60_000
const onset = Date.parse('2026-05-01T12:00:00Z')
const alertAt = epochMs(onset + 3 * minute)

type Row = Omit<EvidenceRow, 'id'>
const slot = (name: string, rows: readonly Row[]): EvidenceSlot => ({
  slot: name,
  title: name,
  outcome: rows.length > 0 ? 'rows' : 'empty',
  asked: name,
  window: {
    from: new Date(onset - 57 * minute).toISOString(),
    to: new Date(onset + 10 * minute).toISOString()
  },
  rows: rows.map((row, index) => ({ id: `${name}#${index + 1}`, ...row })),
  note: null,
  took_ms: 1,
  retryable: false
})
/** A series in minutes around the onset: one level before it, another from it on, with a little noise. */
const series = (metric: string, scope: string, before: number, after = before): Row => ({
  at: onset,
  text: `${metric}{${scope}}`,
  facts: {
    metric,
    scope,
    interval: 60,
    points: JSON.stringify(
      Array.from({ length: 66 }, (_, n) => {
        const at = onset + (n - 56) * minute
        return [at, (at >= onset ? after : before) * (1 + ((n * 7) % 5) / 100)]
      })
    )
  }
})
const service = (name: string, failed: number, seconds = 0.2, extra = ''): Row[] => [
  series('trace.http.request.hits', `service:${name}${extra}`, 1000),
  series('trace.http.request.errors', `service:${name}${extra}`, 2, failed),
  series('trace.http.request.duration.p95', `service:${name}${extra}`, 0.2, seconds)
]
const lines = (name: string, text: string, status = 'error'): EvidenceSlot =>
  slot(
    `logs-${name}`,
    Array.from({ length: 8 }, (_, n) => ({
      at: onset + n * 5_000,
      text: `${text} (${n})`,
      facts: { service: name, status }
    }))
  )
/** Requests of a caller that call a callee, or somebody outside, after the onset. */
const traces = (caller: string, callee: string, isOutside = false): EvidenceSlot =>
  slot(
    'traces',
    Array.from({ length: 6 }, (_, n) => [
      {
        at: onset + n * 1000,
        text: caller,
        facts: {
          service: caller,
          trace_id: `t${n}`,
          span_id: `a${n}`,
          status: 'error',
          ...(isOutside ? { peer: callee } : {})
        }
      },
      ...(isOutside
        ? []
        : [
            {
              at: onset + n * 1000,
              text: callee,
              facts: { service: callee, trace_id: `t${n}`, span_id: `b${n}`, parent_id: `a${n}` }
            }
          ])
    ]).flat()
  )
const event = (minutesBefore: number, title: string, facts: Record<string, string>): Row => ({
  at: onset - minutesBefore * minute,
  text: title,
  facts: { title, ...facts }
})
const deploy = event(6, 'Deployed shop 1.1.0', {
  source: 'deployment',
  service: 'shop',
  version: '1.1.0'
})
const watched = slot('metric', [series('trace.http.request.errors', 'service:shop', 2, 300)])
const about = (slots: readonly EvidenceSlot[]) =>
  diagnose(slots, alertOf({ service: 'shop' }), alertAt).conclusion
const failing = slot('metric-requests', [...service('shop', 300), ...service('stock', 2)])

test('measured and as usual is healthy, and nobody is blamed for it', () => {
  const calm = [
    slot('metric', [series('trace.http.request.errors', 'service:shop', 2)]),
    slot('metric-requests', service('shop', 2)),
    slot('changes', [deploy])
  ]
  const { verdict, component, affected } = about(calm)
  assert.deepEqual([verdict, component, affected], ['nothing_wrong', 'none', []])
  assert.equal(about([slot('changes', [])]).verdict, 'not_established', 'nothing measured')
})

test('a deploy that only time and place speak against gives way to a plain cause nobody made', () => {
  const blamed = about([watched, failing, slot('changes', [deploy])])
  assert.deepEqual([blamed.component, blamed.class], ['shop', 'change.deploy'])
  const expired = about([
    watched,
    failing,
    slot('changes', [deploy]),
    traces('shop', 'stock'),
    lines('shop', 'Error: certificate has expired: CN=stock.internal')
  ])
  assert.deepEqual(
    [expired.component, expired.class, expired.remedy],
    ['stock', 'security.certificate_expired', 'renew_certificate']
  )
})

test('an outsider that fails by itself is the cause, one that is asked wrongly is not', () => {
  const said = (text: string) =>
    about([
      watched,
      failing,
      slot('changes', [deploy]),
      traces('shop', 'acme', true),
      lines('shop', text)
    ])
  assert.equal(said('acme answered 503 for POST /charges').component, 'acme')
  assert.equal(said('acme answered 400 invalid currency').class, 'change.deploy')
})

test('a version alone with the trouble is told from one that shares it, and from one that is all there is', () => {
  const of = (rows: readonly Row[]) =>
    blameOfSide(sidesOf([slot('metric-versions', rows)], 'shop', 'version', onset), '1.1.0').of
  const old = (failed: number): Row[] => service('shop', failed, 0.2, ',version:1.0.0')
  const now = (failed: number): Row[] => service('shop', failed, 0.2, ',version:1.1.0')
  assert.equal(of([...old(2), ...now(200)]), 'alone')
  assert.equal(of([...old(200), ...now(200)]), 'shared')
  assert.equal(of([...old(200), ...now(2)]), 'none')
  assert.equal(of(now(200)), 'unknown')
})

test('the trouble of one machine alone is the machine, where something is wrong with it', () => {
  const hosts = slot('metric-hosts', [
    ...service('shop', 2, 0.2, ',host:n1'),
    ...service('shop', 300, 2, ',host:n2')
  ])
  const memory = slot('metric-resources', [series('system.mem.pct_usable', 'host:n2', 0.4, 0.02)])
  const found = about([watched, failing, slot('changes', [deploy]), hosts, memory])
  assert.deepEqual(
    [found.component, found.class, found.remedy],
    ['n2', 'resource.memory', 'drain_node']
  )
  assert.equal(about([watched, failing, slot('changes', [deploy]), hosts]).component, 'shop')
})

test('a message that is tried again and again stops its consumer, which serves no requests', () => {
  const found = about([
    watched,
    slot('metric-requests', service('stock', 2)),
    lines('shop', 'failed to process record at partition 3 offset 991 of orders, retrying')
  ])
  assert.deepEqual(
    [found.component, found.class, found.affected],
    ['shop', 'data.poison_message', ['shop']]
  )
})

test('services are measured before and after, worst first, and callers are no origin', () => {
  const slots = [
    slot('metric-requests', [
      ...service('shop', 200),
      ...service('stock', 300),
      ...service('mail', 2)
    ]),
    traces('shop', 'stock')
  ]
  const { services, origin } = measureServices(slots, 'shop', onset, false)
  assert.deepEqual(
    services.filter(one => one.isTroubled).map(({ name }) => name),
    ['stock', 'shop']
  )
  assert.equal(origin?.name, 'stock')
  assert.equal(measureServices(slots, 'elsewhere', onset, false).origin, undefined)
})

test('what is announced is told from what somebody did', () => {
  const notice = (title: string, source: string): boolean =>
    isNotice({ id: 'changes#1', ...event(1, title, { source }) })
  for (const [title, source] of [
    ['acme: major outage', 'statuspage'],
    ['Node n2 status is now: NodeHasMemoryPressure', 'kubernetes'],
    ['Certificate of stock expired', 'my_apps'],
    ['Partner import finished', 'my_apps']
  ] as const)
    assert.ok(notice(title, source), title)
  for (const [title, source] of [
    ['Deployed shop', 'deployment'],
    ['Scaled replica set shop', 'kubernetes'],
    ['Setting pool of shop changed from 5 to 50', 'my_apps'],
    ['Flag new_list turned on', 'feature_flag']
  ] as const)
    assert.ok(!notice(title, source), title)
})

test('growth is what never gives anything back; a step and a wave are none', () => {
  const of = (value: (n: number) => number): boolean =>
    isGrowing(
      {
        times: Array.from({ length: 50 }, (_, n) => n),
        values: Array.from({ length: 50 }, (_, n) => value(n)),
        intervalMs: 1
      },
      50
    )
  assert.deepEqual(
    [
      of(n => 100 + n),
      of(n => (n < 25 ? 100 : 150)),
      of(n => 100 + 20 * Math.sin(n / 6)),
      of(() => 9)
    ],
    [true, false, false, false]
  )
})
