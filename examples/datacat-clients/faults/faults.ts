import type { ServerResponse } from 'node:http'

/** What one request of a client meets: `forward` hands it to the server and answers what that said. */
export interface Met {
  readonly response: ServerResponse
  /** The request's own address behind the fault, for redirects that lead somewhere. */
  readonly target: string
  forward(): Promise<Answer>
  pass(): Promise<void>
}
export interface Answer {
  readonly status: number
  readonly type: string
  readonly body: Buffer
}
export type Fault = (met: Met) => Promise<void> | void

const page = '<html><body>not datacat</body></html>'
const say =
  (status: number, body = page, headers: Readonly<Record<string, string>> = {}): Fault =>
  ({ response }) =>
    void response
      .writeHead(status, { 'content-type': 'text/html', ...headers })
      .end(status === 204 ? '' : body)
const json = (body: string): Fault => say(200, body, { 'content-type': 'application/json' })
/** The server stores it, and something in front of it answers otherwise. */
const stored =
  (fault: Fault): Fault =>
  async met => {
    await met.forward()
    await fault(met)
  }
const moved =
  (status: number): Fault =>
  ({ response, target }) =>
    void response.writeHead(status, { location: target }).end('moved')
const hangUp: Fault = ({ response }) => void response.destroy()

/** Everything that stands between a client and its server and goes wrong, by what is seen of it. */
export const faults: Readonly<Record<string, Fault>> = {
  none: met => met.pass(),
  'connection closed': hangUp,
  'stored, connection closed': stored(hangUp),
  'stored, half an answer': async ({ response, forward }) => {
    await forward()
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '500' })
    response.write('{"status":', () => response.destroy())
  },
  'no answer': () => {},
  'stored, no answer': stored(() => {}),
  'answer after 300 ms': async met => {
    await new Promise(resolve => setTimeout(resolve, 300))
    await met.pass()
  },
  '408': say(408),
  '429, Retry-After 1': say(429, page, { 'retry-after': '1' }),
  '500': say(500),
  'stored, 500': stored(say(500)),
  '502': say(502),
  'stored, 502': stored(say(502)),
  '503, Retry-After 1': say(503, page, { 'retry-after': '1' }),
  '504': say(504),
  'stored, 504': stored(say(504)),
  '400 of a proxy': say(400),
  '401': say(401),
  '403': say(403),
  '404 of a proxy': say(404),
  '405': say(405),
  '413 of a proxy': say(413),
  '301 to the server': moved(301),
  '302 to the server': moved(302),
  '303 to the server': moved(303),
  '307 to the server': moved(307),
  '302 to a login page': ({ response }) =>
    void response.writeHead(302, { location: '/login' }).end('log in'),
  '200, a login page': say(200),
  '200, JSON of another': json('{"login":"please"}'),
  "200, another's health": json('{"status":"ok"}'),
  '204': say(204)
}
