import assert from 'node:assert/strict'
import test from 'node:test'
import { epochMs } from '../../../core/index.ts'
import { errorLogs, narrowMetric, narrowSearch, scopeOf } from '../service/alert-scope.ts'
import { hostSearch, isSameHost } from '../service/host-names.ts'
import { isSymptom } from '../service/symptoms.ts'
import { timeOfAlert } from '../service/window.ts'
import { alertOf } from './alert.ts'

test('a metric query is bound to what the alert is about, series by series', () => {
  const narrowed = (query: string, scope: string): string =>
    narrowMetric(query, scopeOf(alertOf({ scope })).terms)
  assert.equal(
    narrowed('avg:system.cpu.user{env:prod} by {host}', 'host:web-01'),
    'avg:system.cpu.user{env:prod,host:web-01} by {host}'
  )
  assert.equal(narrowed('avg:a{*} by{host}', 'host:w,env:prod'), 'avg:a{host:w,env:prod} by{host}')
  assert.equal(
    narrowed('sum:e{service:a,env:prod} / sum:h{service:a}', 'service:a,env:prod'),
    'sum:e{service:a,env:prod} / sum:h{service:a,env:prod}'
  )
  assert.equal(
    narrowed('avg:a{env:prod AND (role:x OR role:y)}', 'host:w'),
    'avg:a{(env:prod AND (role:x OR role:y)) AND host:w}'
  )
  assert.equal(narrowed('avg:a{host:w-*}', 'host:w-1'), 'avg:a{host:w-*,host:w-1}')
  assert.equal(narrowed('avg:a{host:x} - avg:a{host:y}', 'host:x'), 'avg:a{host:x} - avg:a{host:y}')
  for (const scope of ['', '*', 'total', 'host:*', 'host:a}', 'host:{{x}}', 'a"b:c', '!host:a'])
    assert.equal(narrowed('avg:a{env:prod}', scope), 'avg:a{env:prod}', scope)
})

test('without a scope the keys the monitor alerts by are looked for in the fields and the tags', () => {
  const alert = alertOf({ host: 'web-01', tags: ['pod_name:p-7', 'kube_ns:a', 'kube_ns:b'] })
  assert.deepEqual(scopeOf(alert, ['host', 'pod_name', 'kube_ns', 'device']).terms, [
    { key: 'host', value: 'web-01' },
    { key: 'pod_name', value: 'p-7' }
  ])
  assert.deepEqual(scopeOf(alert).terms, [])
  const { service, env, host } = scopeOf(alertOf({ scope: 'service:pay AND env:prod,host:w' }))
  assert.deepEqual([service, env, host], ['pay', 'prod', 'w'])
})

test('a search is bound to the scope, its own condition in brackets', () => {
  const { terms } = scopeOf(alertOf({ scope: 'host:10.0.12.7,@http.url:/pay,env:prod' }))
  assert.equal(
    narrowSearch('status:error OR env:prod', terms),
    '(status:error OR env:prod) host:10.0.12.7 @http.url:"/pay" env:prod'
  )
  assert.equal(narrowSearch('*', terms.slice(0, 1)), 'host:10.0.12.7')
  assert.equal(narrowSearch('a:b', []), 'a:b')
  assert.equal(
    errorLogs(scopeOf(alertOf({ host: '10.0.12.7', env: 'prod' }))),
    'status:(error OR critical OR emergency) host:10.0.12.7 env:prod'
  )
})

test('a host is itself with or without its domain, and never another whose name begins alike', () => {
  const same: [string, string][] = [
    ['web-1', 'WEB-1'],
    ['web-1', 'web-1.example.com'],
    ['web-1.example.com', 'web-1'],
    ['10.0.12.7', '10.0.12.7'],
    ['fe80::1', 'FE80::1']
  ]
  const others: [string, string][] = [
    ['web-1', 'web-10'],
    ['web-1', 'web-10.example.com'],
    ['web-1.example.com', 'web-1.example.org'],
    ['10.0.12.7', '10.0.12.70'],
    ['10.0.12.7', '10'],
    ['10.0.12.7', '10.0.13.1'],
    ['i-0abc', 'i-0abcd']
  ]
  for (const [a, b] of same) assert.ok(isSameHost(a, b) && isSameHost(b, a), `${a} ${b}`)
  for (const [a, b] of others) assert.ok(!isSameHost(a, b) && !isSameHost(b, a), `${a} ${b}`)
  assert.equal(hostSearch('10.0.12.7'), 'host:10.0.12.7')
  assert.equal(hostSearch('fe80::1'), 'host:"fe80::1"')
  assert.equal(hostSearch('web-1'), 'host:(web-1 OR web-1.*)')
  assert.equal(hostSearch('web-1.example.com'), 'host:(web-1.example.com OR web-1)')
  assert.equal(hostSearch('a" OR *'), 'host:"a OR *"')
})

test('a window never lies beyond the receipt, and an alert from the future says so', () => {
  const received = epochMs(Date.parse('2026-05-01T12:00:00Z'))
  const minutes = (said: number | null): [number, number, boolean] => {
    const { at, window, noticesUntil, note } = timeOfAlert(said, received)
    assert.ok(noticesUntil >= window.to && noticesUntil <= received)
    assert.ok(window.from < window.to && window.to <= received && window.from <= at)
    return [(window.from - received) / 60_000, (window.to - received) / 60_000, note !== null]
  }
  assert.deepEqual(minutes(null), [-60, 0, false])
  assert.deepEqual(minutes(received - 3 * 60_000), [-63, 0, false])
  assert.deepEqual(minutes(received - 30 * 60_000), [-90, -20, false])
  assert.deepEqual(minutes(received + 5_000), [-60, 0, false])
  assert.deepEqual(minutes(received + 7_200_000), [-60, 0, true])
  assert.match(
    timeOfAlert(received + 7_200_000, received).note ?? '',
    /2026-05-01T14:00:00.000Z, which lies after its receipt/
  )
})

test('an event that tells of a symptom is no change, and a change stays one', () => {
  const onset = { at: epochMs(Date.parse('2026-05-01T12:00:00Z')), precision: 60_000 }
  const isOne = (title: string, source = 'kubernetes', minutesBefore = 1, message = ''): boolean =>
    isSymptom(
      {
        id: 'changes#1',
        at: onset.at - minutesBefore * 60_000,
        text: [title, message].filter(Boolean).join(' | '),
        facts: { title, source }
      },
      onset
    )
  for (const title of [
    'OOMKilled: container checkout in pod checkout-7f9',
    'Container killed by the OOM killer',
    'OOM kill on app-03',
    'Process ran out of memory',
    'Back-off restarting failed container',
    'Pod checkout-api-1 restarted',
    'CrashLoopBackOff',
    'Liveness probe failed',
    'Pod evicted from node-3',
    'NodeNotReady',
    'Scaled up replica set checkout-api to 8',
    'Autoscaling group web: launching 2 instances',
    'SuccessfulRescale: new size 12; reason: cpu above target'
  ])
    assert.ok(isOne(title), title)
  assert.ok(isOne('Autoscaling group web: launching 2 instances', 'amazon', 30))
  assert.ok(isOne('Container died', 'docker', 1, 'exited with 137'))
  for (const title of [
    'Deployed checkout-api v2.41.0 to prod',
    'Rollout of checkout-api finished',
    'Flag new-pricing turned on',
    'Node pool upgraded to 1.31',
    'Config map checkout changed'
  ])
    assert.ok(!isOne(title), title)
  assert.ok(!isOne('Deployed v2 with a larger heap', 'my_apps', 1, 'after pods were OOMKilled'))
  assert.ok(!isOne('Restarted with v2.41.0', 'deployment'))
  assert.ok(!isOne('Scaled checkout-api down to 1 by hand', 'kubernetes', 12))
})
