import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  errorCode,
  errorText,
  invalid,
  RayneError,
  type CommandAnswer,
  type CommandContext
} from '../../../core/index.ts'
import { serverAddress, webhooksErrors } from '../contract.ts'

interface Input {
  readonly file: string
  readonly url?: string
  readonly account?: string
  readonly token?: string
  /** Seconds to wait for the analysis. */
  readonly wait: number
}
/** What the server answered, as far as it is looked at here. */
interface Receipt {
  readonly event_id: number
  readonly duplicate_of?: number
}
interface Event {
  readonly status?: string
  readonly error?: string
  readonly alert?: { readonly parse_error?: string | null }
  readonly rca?: { readonly url: string; readonly status: string }
  readonly notebook?: { readonly url: string }
}

const answerMs = 15_000
const lookMs = 250

/** Posts one webhook from a file, as a sender would, and says whether it was accepted and what became of it. */
export async function postFile(
  { file, account, wait, ...options }: Input,
  { environment, signal }: CommandContext
): Promise<CommandAnswer> {
  const body = await readFile(file).catch((error: unknown) => {
    throw new RayneError({
      code: webhooksErrors['file-unreadable'],
      message: `cannot read '${file}': ${errorText(error)}`
    })
  })
  const server = serverOf(options.url, environment['PORT'])
  const token = options.token ?? environment['RAYNE_TOKEN']
  const headers: Record<string, string> = token ? { 'x-rayne-token': token } : {}
  const target = account === undefined ? 'receive' : `receive/${encodeURIComponent(account)}`
  const receipt = await ask<Receipt>(`${server}/v1/webhooks/${target}`, signal, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers }
  })
  if (typeof receipt.event_id !== 'number')
    throw new RayneError({
      code: webhooksErrors['server-refused'],
      status: 502,
      message: `${server} answers, and not as Rayne does: name the server with --url`
    })
  const url = `${server}/v1/webhooks/events/${receipt.event_id}`
  const event = await follow(url, headers, wait, signal)
  const duplicate = receipt.duplicate_of !== undefined
  return {
    value: { ...receipt, ...event, result: duplicate ? 'duplicate' : 'accepted', url },
    lines: [
      duplicate
        ? `duplicate  of event ${receipt.duplicate_of}, which came before: nothing new is started`
        : `accepted   as event ${receipt.event_id}`,
      `event      ${url}`,
      ...(event === undefined
        ? ['analysis   not shown: this token may send, and not read']
        : outcomeOf(event, server, wait))
    ]
  }
}

function outcomeOf(
  { alert, rca, status, error, notebook }: Event,
  server: string,
  wait: number
): string[] {
  const analysis = rca
    ? `${server}${rca.url} (${rca.status}${error ? `: ${error}` : ''})`
    : status === 'processed'
      ? 'none: no plugin analyses this webhook'
      : `none within ${wait} s; it goes on`
  return [
    ...(alert?.parse_error ? [`read as    text: ${alert.parse_error}`] : []),
    `analysis   ${analysis}`,
    `notebook   ${notebook?.url ?? 'none'}`
  ]
}

/** The server that is named, or the one of this machine's port. */
function serverOf(text: string | undefined, port: string | undefined): string {
  const given = text ?? `127.0.0.1:${port || 8080}`
  const own = URL.parse(`http://${given}`)
  if (text === undefined && (!own || own.port === '0'))
    throw invalid('--url', `is needed: PORT is '${port}', which is no port of a running server`)
  return serverAddress(given)
}

/** Reads the event until its analysis has ended or the time is up; undefined when the token may not read. */
async function follow(
  url: string,
  headers: Record<string, string>,
  waitSeconds: number,
  signal: AbortSignal
): Promise<Event | undefined> {
  for (const end = Date.now() + waitSeconds * 1000; ; await sleep(lookMs, undefined, { signal })) {
    const event = await ask<Event>(url, signal, { headers }).catch((error: unknown) => {
      if (error instanceof RayneError && [401, 403].includes(error.status)) return undefined
      throw error
    })
    const ended =
      event?.rca === undefined
        ? event?.status === 'processed' || event?.status === 'failed'
        : ['done', 'failed', 'cancelled', 'skipped'].includes(event.rca.status)
    if (!event || ended || Date.now() >= end) return event
  }
}

async function ask<T extends object>(
  url: string,
  signal: AbortSignal,
  init: RequestInit
): Promise<Partial<T> & T> {
  const late = AbortSignal.timeout(answerMs)
  const both = AbortSignal.any([signal, late])
  const response = await fetch(url, { ...init, signal: both, redirect: 'manual' }).catch(
    (error: unknown) => {
      signal.throwIfAborted()
      throw unreachable(url, late.aborted ? `within ${answerMs / 1000} s` : reasonOf(error))
    }
  )
  const answer = (await response.json().catch(() => ({}))) as T & { error?: unknown }
  if (response.status >= 200 && response.status < 300) return answer
  const location = response.headers.get('location')
  const reason = location === null ? String(answer.error ?? 'no reason given') : `go to ${location}`
  throw new RayneError({
    code: webhooksErrors['server-refused'],
    status: response.status,
    message: `not accepted: ${url} answered ${response.status}: ${reason}${helpOf(response.status)}`
  })
}

const helpOf = (status: number): string =>
  status === 401 ? ' (--token or RAYNE_TOKEN gives the ingest secret)' : ''
function reasonOf(error: unknown): string {
  const { cause = error } = error as { cause?: unknown }
  return `(${errorCode(cause) ?? errorText(cause)})`
}
const unreachable = (url: string, why: string): RayneError =>
  new RayneError({
    code: webhooksErrors['server-unreachable'],
    message:
      `nothing answers at ${new URL(url).origin} ${why}: ` +
      'start the server with `npm start`, or name it with --url'
  })
