import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { coreErrors, errorCode, errorText, RayneError } from '../errors.ts'
import { answer, say } from './context.ts'

interface ReceiveOptions {
  readonly url?: string
  readonly account?: string
  readonly token?: string
  readonly json?: boolean
  readonly wait: string
}

/** Posts one webhook from a file, as a sender would, and waits for what becomes of it. */
export async function receive(file: string, options: ReceiveOptions): Promise<void> {
  const body = await readFile(file).catch((error: unknown) => {
    throw new RayneError({
      code: 'file-unreadable',
      message: `cannot read '${file}': ${errorText(error)}`
    })
  })
  const base = (options.url ?? `http://127.0.0.1:${process.env['PORT'] ?? 8080}`).replace(/\/$/, '')
  const token = options.token ?? process.env['RAYNE_TOKEN']
  const headers = token ? { 'x-rayne-token': token } : {}
  const accepted = await call(
    `${base}/v1/webhooks/receive${options.account ? `/${encodeURIComponent(options.account)}` : ''}`,
    { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } }
  )
  say(`accepted as event ${accepted['event_id']}`)
  const event = await follow(
    `${base}/v1/webhooks/events/${accepted['event_id']}`,
    headers,
    Number(options.wait)
  )
  const rca = event?.['rca'] as { url?: string; status?: string } | undefined
  const notebook = event?.['notebook'] as { url?: string } | undefined
  answer(options.json ?? false, event ?? accepted, [
    `event     ${base}/v1/webhooks/events/${accepted['event_id']}`,
    `analysis  ${rca?.url ? `${base}${rca.url} (${rca.status})` : 'none yet'}`,
    `notebook  ${notebook?.url ?? 'none yet'}`
  ])
}

/** Reads the event until its analysis has ended or the time is up. */
async function follow(
  url: string,
  headers: Record<string, string>,
  seconds: number
): Promise<Record<string, unknown> | undefined> {
  let event: Record<string, unknown> | undefined
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(250)) {
    event = await call(url, { headers }).catch((error: unknown) => {
      if (error instanceof RayneError && error.status === 401) return undefined
      throw error
    })
    const status = (event?.['rca'] as { status?: string } | undefined)?.status
    if (!event || event['duplicate_of'] || status === 'done' || status === 'failed') break
  }
  return event
}

async function call(url: string, init: RequestInit): Promise<Record<string, unknown>> {
  const response = await fetch(url, {
    ...init,
    signal: AbortSignal.timeout(15_000),
    redirect: 'error'
  }).catch((error: unknown) => {
    const code = errorCode((error as { cause?: unknown }).cause) ?? errorText(error)
    throw new RayneError({
      code: 'server-unreachable',
      message:
        `nothing answers at ${new URL(url).origin} (${code}): ` +
        'start the server with `npm start`, or name it with --url'
    })
  })
  const body = (await response.json().catch(() => ({}))) as Record<string, unknown>
  if (!response.ok)
    throw new RayneError({
      code: coreErrors.refused,
      status: response.status,
      message: `${url} answered ${response.status}: ${String(body['error'] ?? 'no reason given')}`
    })
  return body
}
