import { readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'

export interface RecordedRequest {
  readonly method: string
  readonly path: string
  readonly query: Readonly<Record<string, unknown>>
  readonly body: unknown
}
export interface RecordedResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
  readonly body_raw?: string
}
export interface Interaction {
  readonly op: string | null
  readonly request: RecordedRequest
  readonly response: RecordedResponse
}
export interface Recording {
  readonly file: string
  /** Epoch milliseconds. */ readonly at: number
  readonly interactions: readonly Interaction[]
}

/** Every recording below a folder; throws a sentence when there is none or a file is something else. */
export function loadRecordings(folder: string): Recording[] {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new Error(`there is no folder ${folder}; name the recordings with --data DIR`)
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.json') && path.basename(file) !== 'index.json')
    .sort()
  if (files.length === 0) throw new Error(`${folder} holds no recordings (*.json)`)
  return files.map(file => readRecording(folder, file))
}

function readRecording(folder: string, file: string): Recording {
  const raw: unknown = JSON.parse(readFileSync(path.join(folder, file), 'utf8'))
  const { interactions, recorded_at: recordedAt } = raw as {
    interactions?: unknown
    recorded_at?: string
  }
  if (!Array.isArray(interactions))
    throw new Error(`${file} is not a recording: it has no interactions`)
  const at = Date.parse(recordedAt ?? '')
  return {
    file,
    at: Number.isNaN(at) ? Date.now() : at,
    interactions: interactions.map(item => normalised(item as Partial<Interaction>))
  }
}

function normalised({ op, request, response }: Partial<Interaction>): Interaction {
  if (!request || !response) throw new Error('an interaction lacks its request or response')
  return {
    op: op ?? null,
    request: { ...request, query: request.query ?? {}, body: request.body ?? null },
    response: { ...response, headers: response.headers ?? {} }
  }
}

/** One difference between a request that was sent and the recorded one. */
export interface Drift {
  readonly kind: 'added' | 'changed' | 'not sent'
  readonly at: string
}

/**
 * Where two requests differ, as paths such as `body.page.limit`; times count as equal when they mean the same
 * instant.
 */
export function driftOf(
  sent: RecordedRequest,
  recorded: RecordedRequest,
  recordedAt: number
): Drift[] {
  const ours = leaves({ query: sent.query, body: sent.body })
  const theirs = leaves({ query: recorded.query, body: recorded.body })
  return [...new Set([...ours.keys(), ...theirs.keys()])].flatMap((at): Drift[] => {
    if (!theirs.has(at)) return [{ kind: 'added', at }]
    if (!ours.has(at)) return [{ kind: 'not sent', at }]
    return same(ours.get(at), theirs.get(at), recordedAt) ? [] : [{ kind: 'changed', at }]
  })
}

function same(a: unknown, b: unknown, recordedAt: number): boolean {
  if (isDeepStrictEqual(a, b) || String(a) === String(b)) return true
  const [left, right] = [instantOf(a, recordedAt), instantOf(b, recordedAt)]
  return left !== undefined && left === right
}

/** Epoch milliseconds of ISO, epoch and `now-15m` texts; `now` is the moment of the recording. */
export function instantOf(value: unknown, recordedAt: number): number | undefined {
  if (typeof value !== 'string') return undefined
  const relative = /^now(?:-(\d+)([smhdw]))?$/.exec(value)
  if (relative)
    return (
      recordedAt -
      Number(relative[1] ?? 0) *
        { s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5 }[relative[2] ?? 's']!
    )
  const time = /^\d{12,}$/.test(value) ? Number(value) : Date.parse(value)
  return Number.isNaN(time) ? undefined : time
}

function leaves(value: unknown, at = '', found = new Map<string, unknown>()): Map<string, unknown> {
  if (typeof value !== 'object' || value === null) {
    if (value !== null && value !== undefined) found.set(at, value)
    return found
  }
  for (const [key, inner] of Object.entries(value))
    leaves(inner, at === '' ? key : `${at}.${key}`, found)
  return found
}
