import assert from 'node:assert/strict'
import { test } from 'node:test'
import { repeatedChanges, storm } from './many-alerts.ts'

test('however often a change is sent, and however it flaps, it is one of everything', async t => {
  const many = 16
  const { repeated, flapped } = await repeatedChanges(t, many)
  assert.deepEqual(
    [repeated.events, repeated.duplicates, repeated.analyses, repeated.sent],
    [many, many * 42, many, many]
  )
  assert.deepEqual(
    repeated.incidents.map(({ occurrences, members }) => [occurrences, members]),
    Array.from({ length: many }, () => [1, 1])
  )
  assert.deepEqual([flapped.events, flapped.analyses, flapped.sent], [many * 5, many, many])
  assert.deepEqual(
    flapped.incidents.map(({ occurrences, members }) => [occurrences, members]),
    Array.from({ length: many }, () => [5, 1])
  )
  assert.ok(flapped.edited > repeated.edited, `${flapped.edited} edits`)
})

test('a storm of 40 monitors of one machine is stored whole, and costs one analysis and one message', async t => {
  const { events, analyses, sent, incidents, whys } = await storm(t, 240)
  assert.deepEqual([events, analyses, sent], [240, 1, 1])
  assert.deepEqual(
    incidents.map(({ occurrences, members }) => [occurrences, members]),
    [[240, 40]]
  )
  for (const why of whys)
    assert.match(why, /^it opened the incident$|monitors of host 'db-7' that alert together/)
})
