import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { suiteApp } from '../../../core/test/suite-app.ts'
import datacat from '../plugin.ts'

const ingestSecret = 'an-ingest-secret-of-this-test'
const wrongSecret = 'another-secret-that-nobody-knows'
const unknown = '00000000-0000-4000-8000-000000000000'
const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })

describe('a protected server', () => {
  const shared = suiteApp({
    plugins: [datacat],
    env: { RAYNE_AUTH: 'required', RAYNE_INGEST_SECRETS: ingestSecret }
  })
  const tokens: Record<string, string> = { 'ingest secret': ingestSecret }
  const texts: string[] = []
  let session = ''

  /** One request without anything a library would mend; remembers the answer, since no answer may carry a token. */
  async function ask(
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: string
  ): Promise<{ status: number; text: string }> {
    const gone = new AbortController()
    const answer = await fetch(`${shared.url}${path}`, {
      method,
      headers,
      redirect: 'manual',
      signal: gone.signal,
      ...(body === undefined ? {} : { body })
    })
    const isStream = answer.headers.get('content-type') === 'text/event-stream'
    const text = isStream ? '' : await answer.text()
    if (isStream) gone.abort()
    texts.push(JSON.stringify([...answer.headers]), text)
    return { status: answer.status, text }
  }

  before(async () => {
    for (const scope of ['read', 'write', 'ingest', 'both'])
      tokens[scope] = (
        await shared.app.store.addToken(scope, scope === 'both' ? ['ingest', 'read'] : [scope])
      ).token
    const made = await ask('POST', '/v1/datacat/sessions', bearer(ingestSecret), '{"product":"p"}')
    session = JSON.parse(made.text).session_id as string
  })

  test('asks every route for what it does: ingest for a write, read for a question', async () => {
    const operations = shared.app.router.operations.filter(
      operation => operation.owner === 'datacat' && operation.method !== '*'
    )
    assert.ok(operations.length >= 30, `${operations.length} routes`)
    const allowed: Record<string, readonly string[]> = {
      ingest: ['ingest secret', 'ingest', 'both'],
      read: ['read', 'both'],
      'read or write': ['read', 'both', 'write'],
      write: ['write']
    }
    const counts: Record<string, number> = {}
    for (const { method, path } of operations) {
      const isGrafana = path.startsWith('/api/grafana')
      const need =
        method === 'DELETE'
          ? 'write'
          : method === 'GET'
            ? 'read or write'
            : isGrafana
              ? 'read'
              : 'ingest'
      counts[need] = (counts[need] ?? 0) + 1
      if (path.startsWith('/k/')) continue
      const where = path.replace('{id}', unknown)
      assert.equal((await ask(method, where)).status, 401, `${method} ${path} for nobody`)
      assert.equal(
        (await ask(method, where, bearer(wrongSecret))).status,
        401,
        `${method} ${path} with a wrong token`
      )
      for (const [who, token] of Object.entries(tokens)) {
        const { status } = await ask(method, where, bearer(token))
        if (allowed[need]?.includes(who))
          assert.ok(
            status !== 401 && status !== 403,
            `${method} ${path} refuses '${who}' with ${status}`
          )
        else assert.equal(status, 403, `${method} ${path} for '${who}'`)
      }
    }
    assert.deepEqual(Object.keys(counts).toSorted(), Object.keys(allowed).toSorted())
  })

  test('lets clients of the first version carry the token in the path', async () => {
    const path = (token: string, rest: string): string => `/k/${token}/api/${rest}`
    const made = await ask('POST', path(ingestSecret, 'sessions'), {
      'content-type': 'application/json'
    })
    assert.equal(made.status, 200)
    const id = JSON.parse(made.text).session_id as string
    for (const [verb, body] of [
      ['state', '{"a":1}'],
      ['events', '{"name":"e"}'],
      ['metrics', '{"name":"m","value":1}'],
      ['end', undefined]
    ] as const) {
      const rest = `sessions/${id}/${verb}`
      assert.deepEqual(await ask('POST', path(ingestSecret, rest), {}, body), {
        status: 200,
        text: '{"status":"ok"}\n'
      })
      assert.deepEqual(await ask('POST', path(tokens['both']!, rest), {}, body), {
        status: 200,
        text: '{"status":"ok"}\n'
      })
      assert.equal((await ask('POST', path(tokens['read']!, rest), {}, body)).status, 403)
      for (const wrong of [wrongSecret, ingestSecret.slice(0, -1), `${ingestSecret}x`, unknown])
        assert.equal((await ask('POST', path(wrong, rest), {}, body)).status, 401, wrong)
      assert.equal((await ask('POST', `/api/${rest}`, {}, body)).status, 401)
    }
    for (const rest of [`sessions/${id}`, 'grafana/sessions', 'grafana/sessions?limit=1']) {
      assert.equal((await ask('GET', path(tokens['both']!, rest))).status, 200)
      assert.equal((await ask('GET', path(ingestSecret, rest))).status, 403)
      assert.equal((await ask('GET', path(wrongSecret, rest))).status, 401)
      assert.equal((await ask('GET', `/api/${rest}`)).status, 401)
    }
    const seen = JSON.parse((await ask('GET', path(tokens['both']!, `sessions/${id}`))).text) as {
      events: object[]
      metrics: object[]
      active: boolean
    }
    assert.deepEqual([seen.events.length, seen.metrics.length, seen.active], [2, 2, false])
    assert.equal((await ask('POST', path(wrongSecret, 'sessions'))).status, 401)
    assert.equal((await ask('POST', `/api/sessions?token=${ingestSecret}`)).status, 401)
  })

  test('tells the token in the path to nobody: in no answer and in no line of the log', async () => {
    for (const token of [ingestSecret, tokens['both']!, tokens['read']!]) {
      for (const [method, rest] of [
        ['GET', 'api/sessions'],
        ['GET', 'api/nothing'],
        ['DELETE', 'api/sessions/x'],
        ['GET', `api/sessions/${unknown}`],
        ['POST', `api/sessions/${unknown}/end`],
        ['GET', `api//sessions/${session}`],
        ['GET', 'v1/datacat/sessions'],
        ['GET', ''],
        ['POST', '/api/sessions'],
        ['GET', 'api/grafana/sessions?since=x']
      ] as const)
        await ask(method, `/k/${token}/${rest}`, { accept: 'application/problem+json' }).catch(
          () => ({})
        )
      await shared.app.db.raw('alter table datacat_sessions rename to datacat_away')
      try {
        assert.ok([500, 403].includes((await ask('POST', `/k/${token}/api/sessions`)).status))
      } finally {
        await shared.app.db.raw('alter table datacat_away rename to datacat_sessions')
      }
    }
    assert.ok(
      shared.lines.some(line => line.includes('"level":50')),
      'the failed request was logged'
    )
    assert.ok(texts.length > 500, `${texts.length} answers were looked at`)
    for (const token of Object.values(tokens)) {
      assert.deepEqual(
        shared.lines.filter(line => line.includes(token)),
        []
      )
      assert.deepEqual(
        texts.filter(text => text.includes(token)),
        []
      )
    }
  })
})

describe('local mode', () => {
  const shared = suiteApp({ plugins: [datacat] })

  test('asks for nothing, and takes a path with a token all the same', async () => {
    for (const { method, path } of shared.app.router.operations.filter(
      operation => operation.owner === 'datacat' && operation.method !== '*'
    )) {
      const gone = new AbortController()
      const { status } = await fetch(
        `${shared.url}${path.replace('{id}', unknown).replace('{key}', 'anything')}`,
        { method, signal: gone.signal }
      )
      gone.abort()
      assert.ok([200, 201, 400, 404].includes(status), `${method} ${path} is answered ${status}`)
    }
  })
})
