import { limits } from './bound.ts'
import { errorText } from '../../../core/index.ts'
import { problemOf } from '../contract.ts'
import { line } from './clean.ts'
import { facet, opaque, readMonitorId, readOrgId } from './facts.ts'
import { header, type Headers } from './headers.ts'
import { names } from './names.ts'
import { readPayload } from './payload.ts'
import { readProse } from './prose.ts'
import { createReader, type Reader } from './reader.ts'
import { readStatus, type Status } from './status.ts'
import { readTags } from './tags.ts'

/** What is read of a webhook before it is stored; the rest is read from the stored bytes when somebody asks. */
export interface Identity extends Status {
  readonly orgId: string | null
  readonly monitorId: string | null
  readonly service: string | null
  /** The sender's own name for this delivery; null when it gives none. */
  readonly deliveryId: string | null
  /** Monitor and scope, or what stands for them; null when nothing tells one problem from another. */
  readonly problem: string | null
  readonly parseError: string | null
}

/** Reads who sent what about which problem; never throws, and agrees with `normalise` on every fact they share. */
export function identify(raw: Uint8Array, headers: Headers): Identity {
  try {
    return read(raw, headers)
  } catch (error) {
    return { ...unread, parseError: `not read: ${line(errorText(error), 200)}` }
  }
}

const unread: Identity = {
  status: 'unknown',
  transition: 'unknown',
  firing: true,
  orgId: null,
  monitorId: null,
  service: null,
  deliveryId: null,
  problem: null,
  parseError: null
}

function read(raw: Uint8Array, headers: Headers): Identity {
  const { facts, problem: parseError } = readPayload(raw, headers, true)
  const reader = createReader(facts)
  const title = once(() => reader.title(names.title, 1_000))
  const prose = once(() => readProse(title(), reader.prose(names.message, limits.text)))
  const monitorId = readMonitorId(reader, prose)
  const scope = reader.text(names.scope, 4_000) ?? prose().scope
  const status = readStatus(reader, title)
  return {
    status: status.status,
    transition: status.transition,
    firing: status.firing,
    orgId: readOrgId(reader),
    monitorId,
    service: readService(reader, scope),
    deliveryId: readDeliveryId(reader, headers, [monitorId, scope, status.transition]),
    problem: readProblem(reader, monitorId, title, scope),
    parseError: parseError === null ? null : line(parseError, 300)
  }
}

/** What is asked for seldom is read when it is, and once. */
function once<T>(ask: () => T): () => T {
  let found: { readonly value: T } | undefined
  return () => (found ??= { value: ask() }).value
}

function readService(reader: Reader, scope: string | null): string | null {
  const own = reader.text(names.service, 250)
  if (own !== null) return own
  const scopeTags = readTags([(scope ?? '').replace(/^\{(.*)\}$/, '$1')])
  return facet('service', readTags(reader.values(names.tags)), scopeTags)
}

/**
 * A Standard Webhooks id, or the event's own id together with its cycle, monitor, scope and change: they are the same
 * whenever the event comes again, and templates that write the monitor's id or a counter there lose nothing.
 */
function readDeliveryId(
  reader: Reader,
  headers: Headers,
  change: readonly (string | null)[]
): string | null {
  const standard = header(headers, 'webhook-id')
  if (standard !== '') return `standard ${standard}`
  const id = opaque(reader.text(names.eventId, 10_000))
  if (id === null || id.length < 3 || change.includes(id)) return null
  return JSON.stringify([id, reader.text(names.cycleKey, 10_000), ...change])
}

/** Asks for no more than it takes, since most webhooks name their monitor and scope. */
function readProblem(
  reader: Reader,
  monitorId: string | null,
  readTitle: () => string | null,
  scope: string | null
): string | null {
  const { monitor, place } = problemOf({
    monitor_id: monitorId,
    get monitor_name() {
      return reader.title(names.monitorName, 1_000)
    },
    get title() {
      return readTitle()
    },
    scope,
    get host() {
      return reader.text(names.host, 250)
    },
    get aggregation_key() {
      return opaque(reader.text(names.aggregationKey, 10_000))
    }
  })
  return monitor === null ? null : JSON.stringify([monitor, place])
}
