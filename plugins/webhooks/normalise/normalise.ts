import { errorText } from '../../../core/index.ts'
import type { Alert } from '../contract.ts'
import { emptyFields, limits, type Fields } from './bound.ts'
import { line } from './clean.ts'
import {
  facet,
  opaque,
  readLink,
  readMonitorId,
  readMonitorType,
  readOrgId,
  readSnapshot,
  safeId
} from './facts.ts'
import type { Headers } from './headers.ts'
import { names } from './names.ts'
import { readPayload, type Payload } from './payload.ts'
import { readProse, type Prose } from './prose.ts'
import { createReader, type Reader } from './reader.ts'
import { readStatus } from './status.ts'
import { readTags } from './tags.ts'
import { readTime } from './time.ts'
import { listUnresolved } from './unresolved.ts'

export interface Normalised {
  readonly alert: Alert
  /** The decoded payload within bounds, storable in jsonb, without prototypes. */
  readonly fields: Fields
}

/** Reads an alert out of any webhook body, whoever sent it; pure, never throws, linear in the body. */
export function normalise(raw: Uint8Array, headers: Headers): Normalised {
  const payload = readSafely(raw, headers)
  return { fields: payload.fields, alert: toAlert(payload) }
}

function readSafely(raw: Uint8Array, headers: Headers): Payload {
  try {
    return readPayload(raw, headers)
  } catch (error) {
    const fields = emptyFields()
    return {
      fields,
      facts: fields,
      text: null,
      problem: `not read: ${line(errorText(error), 200)}`
    }
  }
}

function toAlert({ facts: fields, text, problem }: Payload): Alert {
  const reader = createReader(fields)
  const title = reader.title(names.title, 1_000)
  const message = reader.prose(names.message, limits.text)
  const prose = once(() => readProse(title, message))
  const scope = reader.text(names.scope, 4_000) ?? prose().scope
  const tags = readTags(reader.values(names.tags))
  const scopeTags = readTags([(scope ?? '').replace(/^\{(.*)\}$/, '$1')])
  return {
    ...readStatus(reader, () => title),
    title: title ?? firstLine(text),
    message,
    monitor_id: readMonitorId(reader, prose),
    monitor_name: reader.title(names.monitorName, 1_000),
    monitor_type: readMonitorType(reader),
    alert_id: safeId(opaque(reader.text(names.alertId, 10_000))),
    cycle_key: opaque(reader.text(names.cycleKey, 10_000)),
    aggregation_key: opaque(reader.text(names.aggregationKey, 10_000)),
    scope,
    ...readPlace(reader, tags, scopeTags),
    metric: reader.text(names.metric, 500) ?? prose().metric,
    query: reader.text(names.query, 10_000),
    priority: reader.text(names.priority, 64)?.replace(/^p(?=[1-5]$)/, 'P') ?? null,
    tags,
    org_id: readOrgId(reader),
    link: readLink(reader) ?? prose().link,
    snapshot_url: readSnapshot(reader) ?? prose().snapshot,
    at: reader.find(names.at, readTime),
    unresolved: listUnresolved(fields),
    parse_error: problem === null ? null : line(problem, 300)
  }
}

function readPlace(
  reader: Reader,
  tags: readonly string[],
  scope: readonly string[]
): Pick<Alert, 'service' | 'host' | 'env'> {
  return {
    service: reader.text(names.service, 250) ?? facet('service', tags, scope),
    host: reader.text(names.host, 250) ?? facet('host', tags, scope),
    env: reader.text(names.env, 250) ?? facet('env', tags, scope)
  }
}

function once(make: () => Prose): () => Prose {
  let made: Prose | undefined
  return () => (made ??= make())
}

/** Plain text has its first line for a title; broken JSON has none. */
const firstLine = (text: string | null): string | null =>
  text !== null && !/^[[{]/.test(text) ? line(text.split('\n', 1)[0] ?? '', 1_000) || null : null
