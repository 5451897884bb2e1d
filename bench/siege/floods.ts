import { mark } from '../payload.ts'
import type { Flood } from './flood.ts'

/** What the attackers hold: a token that only sends, one that reads, and a session of the first. */
export interface Held {
  readonly host: string
  readonly sender: string
  readonly reader: string
  readonly session: string
  /** Requests a second that one sender's token may send. */
  readonly rate: number
}

/** Every kind of request at ten times what is allowed of it. */
export function floodsOf({ host, sender, reader, session, rate }: Held): Flood[] {
  const request = (method: string, path: string, token?: string, body = ''): string =>
    [
      `${method} ${path} HTTP/1.1`,
      `host: ${host}`,
      ...(token === undefined ? [] : [`authorization: Bearer ${token}`]),
      'content-type: application/json',
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
    ].join('\r\n')
  const post = (path: string, body: string, token?: string): string =>
    request('POST', path, token, body)
  const login = JSON.stringify({ name: `eve-${mark}`, password: 'a wrong password' })
  const setup = JSON.stringify({ name: 'eve', password: 'a long sentence', setup: `x${mark}` })
  const patch = JSON.stringify({ states: [{ state: { [`k${mark}`]: mark } }] })
  const batch = `/v1/datacat/sessions/${session}/batch`
  return [
    // 100 wrong ones of an address in a quarter of an hour are looked at.
    { name: 'logins', request: post('/login', login), perSecond: 100, connections: 10 },
    { name: 'set-up', request: post('/register', setup), perSecond: 100, connections: 10 },
    {
      name: 'malformed bodies',
      request: post('/login', `{"name": ["${mark}${'['.repeat(3_000)}`),
      perSecond: 100,
      connections: 10
    },
    {
      name: 'large bodies',
      request: post('/login', 'x'.repeat(65_536)),
      perSecond: 20,
      connections: 4
    },
    {
      name: 'state patches',
      request: post(batch, patch, sender),
      perSecond: 5 * rate,
      connections: 10
    },
    {
      name: 'one ingest token',
      request: post('/v1/webhooks/receive', '{"a":1}', sender),
      perSecond: 5 * rate,
      connections: 10
    },
    // Two at once are answered, and ten streams.
    {
      name: 'chart queries',
      request: request('GET', '/v1/datacat/series?metric=cpu', reader),
      perSecond: 200,
      connections: 20
    },
    {
      name: 'event streams',
      request: request('GET', '/v1/datacat/live', reader),
      perSecond: 100,
      connections: 100
    }
  ]
}
