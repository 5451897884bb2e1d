import { readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'

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
  /** What is sent as it is, when it is not JSON. */
  readonly body_raw?: string
}
export interface Interaction {
  readonly op: string | null
  readonly request: RecordedRequest
  readonly response: RecordedResponse
}
export interface Recording {
  readonly file: string
  /** Epoch milliseconds. */
  readonly at: number
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
  return files.map(file =>
    readRecording(file, JSON.parse(readFileSync(path.join(folder, file), 'utf8')))
  )
}

/** A recording from what its file holds. */
export function readRecording(file: string, raw: unknown): Recording {
  const { interactions, recorded_at: recordedAt } = (raw ?? {}) as {
    interactions?: unknown
    recorded_at?: unknown
  }
  if (!Array.isArray(interactions))
    throw new Error(`${file} is not a recording: it has no interactions`)
  const at = Date.parse(String(recordedAt))
  return {
    file,
    at: Number.isNaN(at) ? Date.now() : at,
    interactions: interactions.map((one: Raw) => normalised(file, one))
  }
}

interface Raw {
  readonly op?: string | null
  readonly request?: Partial<RecordedRequest> & { readonly body_raw?: unknown }
  readonly response?: Partial<RecordedResponse>
}

/** What a recording leaves out is absent here too: no query is an empty one, no body is null. */
function normalised(file: string, { op, request, response }: Raw): Interaction {
  if (!request?.path || !response?.status)
    throw new Error(`${file}: an interaction lacks its request's path or its response's status`)
  const url = new URL(request.path, 'http://recorded')
  return {
    op: op ?? null,
    request: {
      method: request.method ?? 'GET',
      path: url.pathname,
      query: { ...Object.fromEntries(url.searchParams), ...request.query },
      body: jsonOf(request.body ?? request.body_raw)
    },
    response: answerOf(response, response.status)
  }
}

function answerOf(
  { headers, body, body_raw: raw }: Partial<RecordedResponse>,
  status: number
): RecordedResponse {
  const read = jsonOf(body ?? raw)
  const known = { status, headers: sentHeaders(headers ?? {}, status), body: read }
  return typeof read === 'string' ? { ...known, body_raw: read } : known
}

/** Some recordings hold JSON as text. */
function jsonOf(body: unknown): unknown {
  if (typeof body !== 'string' || !/^\s*[{[]/.test(body)) return body ?? null
  try {
    return JSON.parse(body) as unknown
  } catch {
    return body
  }
}

/** Of the connection that was recorded, and not of the answer. */
const ofTheConnection = /^(content-(encoding|length)|transfer-encoding|connection|keep-alive)$/i
/** Limits that were nearly spent would make a replay wait for the next page. */
const ofTheHour = /^x-ratelimit-/i

const sentHeaders = (
  headers: RecordedResponse['headers'],
  status: number
): RecordedResponse['headers'] =>
  Object.fromEntries(
    Object.entries(headers).filter(
      ([name]) => !ofTheConnection.test(name) && (status >= 400 || !ofTheHour.test(name))
    )
  )
