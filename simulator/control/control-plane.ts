import { createServer, type IncomingMessage, type Server } from 'node:http'
import { readBody } from './http.ts'
import { foreignRequest } from './loopback-guard.ts'

/** What the control plane may do; every answer is JSON. */
export interface Controls {
  reset(): unknown
  scenario(body: Record<string, unknown>): unknown
  clock(body: Record<string, unknown>): unknown
  faults(body: Record<string, unknown>): unknown
  fire(body: Record<string, unknown>): unknown
  sequence(body: Record<string, unknown>): unknown
  journal(): unknown
  state(): unknown
  truth(): unknown
}
type Actions = Readonly<Record<string, (body: Record<string, unknown>) => unknown>>

/** The other listener: it knows the truth, so nothing under test may be given its address. */
export function createControlPlane(controls: Controls): Server {
  const actions: Actions = {
    'POST /__sim/reset': controls.reset,
    'POST /__sim/scenario': controls.scenario,
    'POST /__sim/clock': controls.clock,
    'POST /__sim/faults': controls.faults,
    'POST /__sim/webhooks/fire': controls.fire,
    'POST /__sim/webhooks/sequence': controls.sequence,
    'GET /__sim/journal': controls.journal,
    'GET /__sim/state': controls.state,
    'GET /__sim/truth': controls.truth
  }
  return createServer((req, res) => {
    const answer = (status: number, body: unknown): void => {
      res
        .writeHead(status, { 'content-type': 'application/json' })
        .end(JSON.stringify(body ?? null))
    }
    run(actions, req).then(
      ([status, body]) => answer(status, body),
      (error: unknown) =>
        answer(400, { error: error instanceof Error ? error.message : String(error) })
    )
  })
}

async function run(actions: Actions, req: IncomingMessage): Promise<[number, unknown]> {
  const foreign = foreignRequest(req.headers)
  if (foreign !== undefined) return [403, { error: foreign }]
  const action = actions[`${req.method} ${new URL(req.url ?? '/', 'http://simulator').pathname}`]
  if (!action) return [404, { error: 'not a control route' }]
  const text = await readBody(req)
  const body: unknown = text === '' ? {} : JSON.parse(text)
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new Error('the body must be a JSON object')
  return [200, await action(body as Record<string, unknown>)]
}
