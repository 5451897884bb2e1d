import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { epochMs, type Logger } from '../../../core/index.ts'
import type { OpenAccount } from '../service/client/account.ts'
import { createDatadogService, type DatadogOptions } from '../service/datadog.ts'

export const quiet: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => quiet
} as unknown as Logger
export const window = {
  from: epochMs(Date.parse('2026-01-02T03:00:00Z')),
  to: epochMs(Date.parse('2026-01-02T04:00:00Z'))
}
export const keys = { apiKey: 'an-api-key-of-a-test', appKey: 'an-app-key-of-a-test' }

export interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: any
}
export type Answer = (response: ServerResponse, seen: Seen, nth: number) => void

/** Answers JSON. */
export const json = (
  response: ServerResponse,
  value: unknown,
  status = 200,
  headers: Record<string, string> = {}
): void => {
  response
    .writeHead(status, { 'content-type': 'application/json', ...headers })
    .end(JSON.stringify(value))
}

/**
 * A Datadog of one test: an account whose requests reach `answer`, what was sent, and the waits between attempts in
 * ms.
 */
export async function fakeDatadog(
  t: TestContext,
  answer: Answer,
  options: Partial<DatadogOptions> = {}
): Promise<{ account: OpenAccount; seen: Seen[]; waits: number[]; url: string }> {
  const seen: Seen[] = []
  const waits: number[] = []
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', chunk => {
      text += chunk
    })
    request.on('end', () => {
      const one = {
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        body: text === '' ? null : (JSON.parse(text) as unknown)
      }
      seen.push(one)
      answer(response, one, seen.length)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(
    () =>
      new Promise(resolve => {
        server.closeAllConnections()
        server.close(resolve)
      })
  )
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const service = createDatadogService({
    log: quiet,
    accounts: [{ name: 'test', simulated: true, baseUrl: url, appUrl: 'http://app.test', ...keys }],
    retry: {
      sleep: async ms => {
        waits.push(ms)
      },
      random: () => 0
    },
    ...options
  })
  return { account: await service.account(), seen, waits, url }
}
