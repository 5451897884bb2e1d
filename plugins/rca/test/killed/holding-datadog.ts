import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { atEnd, type Test } from '../../../../core/testing.ts'
import type { SimAccount } from '../../../../simulator/simulator.ts'

/** A request of an analysis, by its place or by what it is, before Datadog has it or after Datadog has done it. */
export interface Moment {
  readonly request: number | 'notebook'
  readonly when: 'before' | 'after'
}
/** An account through which one analysis is watched. */
export type HeldAccount = SimAccount & { readonly name: string }

/** Stands between analyses and a Datadog; each has an account of its own, and is left waiting at its moment. */
export async function startHolding(t: Test, target: SimAccount, moments: readonly Moment[]) {
  const counts = new Map<string, number>()
  const held = new Set<string>()
  const released = new Set<string>()
  const momentOf = (account: string): Moment | undefined =>
    released.has(account) ? undefined : moments[Number(account.slice(1)) - 1]
  const server = createServer((request, response) => {
    void (async () => {
      const [, account = '', path = ''] = /^\/(k\d+)(\/.*)$/.exec(request.url ?? '') ?? []
      const number = (counts.get(account) ?? 0) + 1
      counts.set(account, number)
      const moment = momentOf(account)
      const isIt =
        moment !== undefined &&
        (moment.request === number || (moment.request === 'notebook' && makesNotebook(request)))
      const body = await bodyOf(request)
      if (isIt && moment.when === 'before') return void held.add(account)
      const answer = await fetch(`${target.baseUrl}${path}`, {
        method: request.method ?? 'GET',
        headers: passedOn(request),
        ...(body.length === 0 ? {} : { body })
      })
      const bytes = Buffer.from(await answer.arrayBuffer())
      if (isIt) return void held.add(account)
      response
        .writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' })
        .end(bytes)
    })().catch(() => response.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(t, () => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    accounts: moments.map((_, index): HeldAccount => ({
      ...target,
      name: `k${index + 1}`,
      baseUrl: `${url}/k${index + 1}`
    })),
    isHeld: (account: string): boolean => held.has(account),
    /** Requests of an account so far. */
    count: (account: string): number => counts.get(account) ?? 0,
    release(account: string): void {
      released.add(account)
    }
  }
}

const makesNotebook = ({ method, url = '' }: IncomingMessage): boolean =>
  method === 'POST' && url.endsWith('/api/v1/notebooks')

const passedOn = ({ headers }: IncomingMessage): Record<string, string> =>
  Object.fromEntries(
    ['dd-api-key', 'dd-application-key', 'content-type', 'content-encoding'].flatMap(name => {
      const value = headers[name]
      return typeof value === 'string' ? [[name, value]] : []
    })
  )

async function bodyOf(request: IncomingMessage): Promise<Buffer<ArrayBuffer>> {
  const chunks: Uint8Array[] = []
  for await (const chunk of request) chunks.push(chunk as Uint8Array)
  return Buffer.concat(chunks)
}
