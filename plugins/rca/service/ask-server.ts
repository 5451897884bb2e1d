import { setTimeout as sleep } from 'node:timers/promises'
import {
  errorCode,
  errorText,
  RayneError,
  type CommandAnswer,
  type CommandContext
} from '../../../core/index.ts'
import { serverAddress, webhooksErrors } from '../../webhooks/contract.ts'
import type { Report, Step } from '../contract.ts'
import type { AskedAnalysis } from './request-analysis.ts'

interface Server {
  readonly url: string
  readonly token: string | undefined
}
interface Detail {
  readonly status: string
  readonly error: string | null
  readonly notebook: unknown
  readonly report: Report | null
}

const answerMs = 30_000
const lookMs = 500
const waitMs = 15 * 60_000

/** Has a running server analyse: its steps to the terminal, its report as the answer. */
export async function askServer(
  given: Server,
  asked: AskedAnalysis,
  { signal, say }: Pick<CommandContext, 'signal' | 'say'>
): Promise<CommandAnswer> {
  const server = { ...given, url: serverAddress(given.url) }
  const { id, url } = await ask<{ id: string; url: string }>(server, '/v1/rca', signal, asked)
  const end = Date.now() + waitMs
  for (let after = 0; ; await sleep(lookMs, undefined, { signal })) {
    const { steps, ended } = await ask<{ steps: Step[]; ended: boolean }>(
      server,
      `${url}/steps?after=${after}`,
      signal
    )
    steps.forEach(({ text }) => say(text))
    after = steps.at(-1)?.number ?? after
    if (ended && steps.length === 0) break
    if (Date.now() >= end)
      throw refusal(504, `${server.url}${url} has not ended within ${waitMs / 60_000} minutes`)
  }
  const { status, error, notebook, report } = await ask<Detail>(server, url, signal)
  const shown = report && (await ask<{ markdown: string }>(server, `${url}/report`, signal))
  return {
    value: { id, url: `${server.url}${url}`, status, error, notebook, report },
    lines: [
      ...(shown ? [shown.markdown] : []),
      ...(error === null ? [] : [`The analysis ${status}: ${error}`])
    ],
    failed: status !== 'done'
  }
}

async function ask<T>(
  { url, token }: Server,
  where: string,
  stop: AbortSignal,
  body?: object
): Promise<T> {
  const signal = AbortSignal.any([stop, AbortSignal.timeout(answerMs)])
  const response = await fetch(`${url}${where}`, {
    signal,
    redirect: 'manual',
    method: body ? 'POST' : 'GET',
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` })
    },
    ...(body ? { body: JSON.stringify(body) } : {})
  }).catch((error: unknown) => {
    stop.throwIfAborted()
    const { cause = error } = error as { cause?: unknown }
    throw unreachable(`nothing answers at ${url} (${errorCode(cause) ?? errorText(cause)})`)
  })
  const answer = (await response.json().catch(() => ({}))) as { error?: unknown }
  if (response.ok) return answer as T
  const help = response.status === 401 ? ' (--token or RAYNE_TOKEN gives an API token)' : ''
  const reason = String(answer.error ?? 'no reason given')
  throw refusal(response.status, `${url}${where} answered ${response.status}: ${reason}${help}`)
}

const refusal = (status: number, message: string): RayneError =>
  new RayneError({ code: webhooksErrors['server-refused'], status, message })
const unreachable = (message: string): RayneError =>
  new RayneError({ code: webhooksErrors['server-unreachable'], message })
