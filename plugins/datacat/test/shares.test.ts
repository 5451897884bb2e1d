import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../../../core/test/eventually.ts'
import { suiteApp } from '../../../core/test/suite-app.ts'
import datacat from '../plugin.ts'
import { createShares } from '../service/shares.ts'

const api = '/v1/datacat'
const ingestSecret = 'an-ingest-secret-of-this-test'
const shared = suiteApp({
  plugins: [datacat],
  env: { RAYNE_AUTH: 'required', RAYNE_INGEST_SECRETS: ingestSecret }
})
const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })
const newToken = (scope: string) => shared.app.store.addToken(scope, [scope])

async function open(): Promise<string> {
  const { status, body } = await shared.call('POST', `${api}/sessions`, {}, bearer(ingestSecret))
  assert.equal(status, 201)
  return String(body['session_id'])
}
const write = async (id: string): Promise<number> =>
  (
    await shared.call(
      'POST',
      `/api/sessions/${id}/metrics`,
      { name: 'm', value: 1 },
      bearer(ingestSecret)
    )
  ).status
/** Reads of the tables of charts wait until `release`, as those of a very slow chart would. */
async function holdReaders(): Promise<{ waiting(): Promise<number>; release(): Promise<void> }> {
  const trx = await shared.app.db.transaction()
  await trx.raw('lock table datacat_heartbeats in access exclusive mode')
  return {
    async waiting() {
      const { rows } = await shared.app.db.raw(
        `select count(*)::int as n
        from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock' and query like '%heartbeats%'`
      )
      return rows[0].n as number
    },
    async release() {
      await trx.rollback()
    }
  }
}

describe('shares', () => {
  test('let each caller have so much at once and all so much, in the order it came', async () => {
    const inTurn = createShares({ maxEach: 2, maxAll: 3, maxWaiting: 3, maxWaitMs: 60_000 })
    const started: string[] = []
    const ends: (() => void)[] = []
    const ask = (caller: string, name: string): Promise<string> =>
      inTurn(caller, () => {
        started.push(name)
        return new Promise(resolve => {
          ends.push(() => resolve(name))
        })
      })
    const settle = () => sleep(1)
    const answers = [ask('a', 'a1'), ask('a', 'a2'), ask('a', 'a3'), ask('b', 'b1'), ask('b', 'b2')]
    await settle()
    assert.deepEqual(started, ['a1', 'a2', 'b1'])
    ends[2]?.()
    await settle()
    assert.deepEqual(started.slice(3), ['b2'], 'a has two already')
    ends[0]?.()
    await settle()
    assert.deepEqual(started.slice(4), ['a3'])
    const more = [ask('a', 'a4'), ask('a', 'a5'), ask('a', 'a6')]
    await assert.rejects(ask('a', 'a7'), /at most 2 charts at once/)
    while (started.length < 8 || ends.length < 8) {
      for (const end of ends) end()
      await settle()
    }
    for (const end of ends) end()
    assert.deepEqual(await Promise.all([...answers, ...more]), [
      'a1',
      'a2',
      'a3',
      'b1',
      'b2',
      'a4',
      'a5',
      'a6'
    ])
  })

  test('give up for what waits too long, and the failure of one lets the next begin', async () => {
    const inTurn = createShares({ maxEach: 1, maxAll: 1, maxWaiting: 9, maxWaitMs: 30 })
    let fail = (): void => {}
    const first = inTurn(
      'a',
      () =>
        new Promise((_, reject) => {
          fail = () => reject(new Error('broken'))
        })
    )
    await assert.rejects(
      inTurn('b', async () => 1),
      /at most 1 charts at once/
    )
    fail()
    await assert.rejects(first, /broken/)
    assert.equal(await inTurn('b', async () => 2), 2)
  })
})

describe('readers', () => {
  test('of any number do not keep writers from the database', async () => {
    const { token } = await newToken('read')
    const id = await open()
    // Every answer below waits for a lock, as it would for a slow disk.
    const held = await holdReaders()
    const asked = Array.from({ length: 40 }, (_, n) =>
      fetch(`${shared.url}${n % 2 ? `${api}/sessions` : `${api}/sessions/${id}`}`, {
        headers: bearer(token)
      }).then(answer => answer.status)
    )
    await eventually('the readers wait', async () => (await held.waiting()) >= 6)
    // One that waited for a reader's connection would be refused in the end, and never answered 200.
    for (let n = 0; n < 20; n++) assert.equal(await write(id), 200)
    await held.release()
    const statuses = new Set(await Promise.all(asked))
    for (const status of statuses) assert.ok([200, 503].includes(status), String(status))
  })

  test('with a dashboard of many panels wait their turn, and all are answered', async () => {
    const { token } = await newToken('read')
    assert.equal(await write(await open()), 200)
    const query = { targets: Array.from({ length: 10 }, () => ({ target: 'm' })) }
    const answers = await Promise.all(
      Array.from({ length: 4 }, () =>
        shared.call('POST', '/api/grafana/query', query, bearer(token))
      )
    )
    assert.deepEqual(
      answers.map(({ status, body }) => [status, Object.keys(body).length]),
      Array.from({ length: 4 }, () => [200, 10])
    )
  })

  test('read a long list by its cursor, and catalogues say whether there is more', async () => {
    const { token } = await newToken('read')
    const far = await shared.call(
      'GET',
      `${api}/sessions?page=300&per_page=50`,
      undefined,
      bearer(token)
    )
    assert.deepEqual(
      [far.status, (far.body['errors'] as { pointer: string }[])[0]?.pointer],
      [400, '/query/page']
    )
    for (const product of ['a', 'b', 'c'])
      await shared.call(
        'POST',
        `${api}/sessions`,
        { product, machine_id: product },
        bearer(ingestSecret)
      )
    for (const list of ['products', 'machines'])
      for (const [limit, more] of [
        [2, true],
        [3, false]
      ] as const) {
        const { body } = await shared.call(
          'GET',
          `${api}/${list}?limit=${limit}`,
          undefined,
          bearer(token)
        )
        assert.deepEqual([(body[list] as unknown[]).length, body['more']], [limit, more])
      }
  })
})

describe('an answer that lasts', () => {
  const listen = async (token: string) => {
    const gone = new AbortController()
    const answer = await fetch(`${shared.url}${api}/live`, {
      headers: bearer(token),
      signal: gone.signal
    })
    return { status: answer.status, body: answer.body, close: () => gone.abort() }
  }

  test('is one of ten a token may have open', async () => {
    const { token } = await newToken('read')
    const streams = await Promise.all(Array.from({ length: 10 }, () => listen(token)))
    assert.deepEqual(new Set(streams.map(one => one.status)), new Set([200]))
    const refused = await listen(token)
    assert.equal(refused.status, 429)
    const other = await listen((await newToken('read')).token)
    assert.equal(other.status, 200, 'another token has its own')
    other.close()
    streams[0]?.close()
    await eventually('a free place', async () => {
      const again = await listen(token)
      again.close()
      return again.status === 200
    })
    for (const one of streams) one.close()
  })

  test('is closed when its token is revoked; those of others go on', async () => {
    const [revoked, kept] = [await newToken('read'), await newToken('read')]
    const [closed, open_] = [await listen(revoked.token), await listen(kept.token)]
    assert.deepEqual([closed.status, open_.status], [200, 200])
    const ended = async (stream: { body: ReadableStream<Uint8Array> | null }): Promise<true> => {
      try {
        for await (const _ of stream.body ?? []) continue
      } catch {
        // Cut off, as it should be.
      }
      return true
    }
    let isOpen = true
    void ended(open_).then(() => {
      isOpen = false
    })
    assert.ok(await shared.app.store.revokeToken(revoked.info.id))
    assert.equal(await ended(closed), true)
    assert.equal(isOpen, true)
    open_.close()
    assert.equal((await listen(revoked.token)).status, 401)
  })
})
