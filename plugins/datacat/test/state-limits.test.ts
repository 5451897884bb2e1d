import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { suiteApp } from '../../../core/test/suite-app.ts'
import { createTestApp, createTestDatabase } from '../../../core/testing.ts'
import datacat from '../plugin.ts'
import type { OldSessionAnswer, ProblemAnswer } from './answers.ts'

const shared = suiteApp({ plugins: [datacat] })
const api = '/v1/datacat/sessions'
type State = Readonly<Record<string, unknown>>

const open = async (body: object = {}): Promise<string> =>
  (await shared.call('POST', api, body)).body['session_id'] as string
const stateOf = async (id: string): Promise<State> => {
  const { body }: { body: unknown } = await shared.call('GET', `/api/sessions/${id}`)
  return (body as OldSessionAnswer).state
}
const found = async (query: Record<string, string>): Promise<string[]> => {
  const { body } = await shared.call('GET', `${api}?${new URLSearchParams(query)}`)
  return (body['sessions'] as { id: string }[]).map(one => one.id)
}
const keysOf = (count: number, value: unknown = 0): Record<string, unknown> =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, value]))
const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n)
describe('a long array in a state', () => {
  for (const [what, first, second] of [
    ['zeros and ones', numbers(70_000).fill(0), numbers(70_000).fill(1)],
    ['different numbers', numbers(130_000), numbers(130_000).reverse()]
  ] as const)
    test(`of ${what} is stored, replaced, and read back`, async () => {
      const id = await open({ state: { list: first } })
      assert.deepEqual((await stateOf(id))['list'], first)
      for (const list of [second, [], first]) {
        const { status } = await shared.call('POST', `/api/sessions/${id}/state`, { list })
        assert.equal(status, 200)
        assert.deepEqual((await stateOf(id))['list'], list)
      }
      const batch = { states: [{ state: { list: second } }, { state: { after: true } }] }
      assert.equal((await shared.call('POST', `${api}/${id}/batch`, batch)).status, 200)
      assert.deepEqual(await stateOf(id), { list: second, after: true })
    })

  test('is found by each of its first thousand different elements, whatever is between', async () => {
    const list = numbers(5_000).flatMap(n => [n, n, { n }])
    const id = await open({ product: 'found', state: { list } })
    for (const [element, ids] of [
      ['0', [id]],
      ['999', [id]],
      ['1000', []]
    ] as const)
      assert.deepEqual(await found({ product: 'found', contains: `list=${element}` }), ids)
  })
})

describe('a request that asks too much of a state', () => {
  const refused = async (path: string, body: unknown, pointer: string, limit: RegExp) => {
    const answer = await shared.call('POST', path, body, { accept: 'application/problem+json' })
    assert.equal(answer.status, 400, path)
    const { errors } = answer.body as ProblemAnswer
    assert.equal(errors?.[0]?.pointer, pointer)
    assert.match(errors?.[0]?.message ?? '', limit)
  }

  test('is refused with the limit, wherever it comes in, and nothing of it is stored', async () => {
    const id = await open({ state: { kept: 1 } })
    const [many, values] = [keysOf(10_001), /brings 10,001 values; one request .* 10,000 /]
    await refused(`/api/sessions/${id}/state`, many, '/body', values)
    await refused(api, { state: many }, '/body/state', values)
    await refused(`${api}/${id}/batch`, { states: [{ state: many }] }, '/body/states', values)
    const together = Array.from({ length: 73 }, () => ({ state: keysOf(137) }))
    await refused(`${api}/${id}/batch`, { states: together }, '/body/states', values)
    const written = `{"n":[${numbers(90_000).fill(1e20).join(',').replaceAll('100000000000000000000', '1e20')}]}`
    const bytes = /takes 1,9\d\d,\d\d\d bytes as JSON text; a state takes at most 1,048,576/
    await refused(`/api/sessions/${id}/state`, written, '/body', bytes)
    assert.deepEqual(await stateOf(id), { kept: 1 })
    const { body } = await shared.call('GET', `${api}/${id}`)
    assert.deepEqual([body['state_count'], body['event_count']], [1, 0])
  })

  test('is told by the first version in its words, with the reason behind them', async () => {
    const id = await open()
    const answer = await fetch(`${shared.url}/api/sessions/${id}/state`, {
      method: 'POST',
      body: JSON.stringify(keysOf(70_000))
    })
    assert.deepEqual(
      [answer.status, answer.headers.get('content-type')],
      [400, 'text/plain; charset=utf-8']
    )
    assert.match(await answer.text(), /70,000 values; one request brings at most 10,000/)
  })

  test('is refused when the state would grow over its limit; what fits is taken, also less', async () => {
    const id = await open()
    const part = (n: number, count = 9_000): object => ({ [`part${n}`]: keysOf(count, n) })
    const batch = async (key: string, ...states: object[]) =>
      (
        await shared.call('POST', `${api}/${id}/batch`, {
          key,
          states: states.map(state => ({ state })),
          events: [{ name: key }]
        })
      ).status
    assert.deepEqual([await batch('a', part(0)), await batch('b', part(1))], [200, 200])
    assert.equal(await batch('c', part(0, 5), part(2)), 400)
    const { body } = await shared.call('GET', `${api}/${id}`)
    assert.deepEqual([body['state_count'], body['event_count']], [2, 2])
    assert.deepEqual(await stateOf(id), { ...part(0), ...part(1) })
    // The key of what was refused is free, and a state that became smaller takes it.
    assert.equal(await batch('d', { part0: null }), 200)
    assert.equal(await batch('c', part(2)), 200)
    assert.deepEqual(await stateOf(id), { part0: null, ...part(1), ...part(2) })
  })

  test('does not fail those that were committed with it', async () => {
    const id = await open()
    const text = (n: number): object => ({ [`t${n}`]: 'x'.repeat(400_000) })
    const statuses = await Promise.all(
      Array.from({ length: 8 }, async (_, n) => {
        const small = shared.call('POST', `${api}/${id}/batch`, {
          states: [{ state: { [`small${n}`]: n } }]
        })
        const large = shared.call('POST', `${api}/${id}/batch`, { states: [{ state: text(n) }] })
        assert.equal((await small).status, 200)
        return (await large).status
      })
    )
    assert.deepEqual(statuses.toSorted(), [200, 200, 400, 400, 400, 400, 400, 400])
    assert.equal(Object.keys(await stateOf(id)).length, 8 + 2)
  })
})

test('a large state is read as it was written, at any moment, by any of two processes', async t => {
  const connection = await createTestDatabase(t)
  const apps = [
    await createTestApp(t, { plugins: [datacat], connection }),
    await createTestApp(t, { plugins: [datacat], connection })
  ] as const
  const base = Date.UTC(2026, 0, 1)
  const { session_id: id } = (
    await apps[0].call('POST', api, { started_at: base, state: keysOf(2_000, 'x'.repeat(20)) })
  ).body as { session_id: string }
  const expected: Record<string, unknown> = keysOf(2_000, 'x'.repeat(20))
  const moments: Record<string, unknown>[] = [{ ...expected }]
  for (let n = 1; n <= 140; n++) {
    const [writer, reader] = n % 3 === 0 ? [apps[1], apps[0]] : [apps[0], apps[1]]
    const state = { [`k${n}`]: n, nested: { [`n${n % 7}`]: n } }
    const answer = await writer.call('POST', `${api}/${id}/batch`, {
      states: [{ state, timestamp: base + n * 1_000 }]
    })
    assert.equal(answer.status, 200)
    Object.assign(expected, {
      ...state,
      nested: { ...(expected['nested'] as object), ...state.nested }
    })
    moments.push({ ...expected })
    const read = (await reader.call('GET', `/api/sessions/${id}`)).body as OldSessionAnswer
    assert.deepEqual(read.state, expected, `after update ${n}`)
  }
  for (const n of [0, 1, 63, 64, 65, 139, 140]) {
    const at = base + n * 1_000 + 500
    const { state } = (await apps[1].call('GET', `${api}/${id}/state?at=${at}`)).body as {
      state: State
    }
    assert.deepEqual(state, moments[n], `the state after update ${n}`)
  }
  const written = await apps[0].db('datacat_states').whereNotNull('snapshot').count({ n: '*' })
  assert.ok(Number(written[0]?.['n']) <= 3, 'a large state is not written with every update')
})
