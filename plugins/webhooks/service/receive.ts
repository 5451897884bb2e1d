import { hash } from 'node:crypto'
import {
  createGroupCommit,
  type KeptEvent,
  type Knex,
  type Logger,
  type Statement
} from '../../../core/index.ts'
import type { DatadogService } from '../../datadog-proxy/contract.ts'
import type { PastAlert, Receipt, Webhooks } from '../contract.ts'
import { header, type Headers } from '../normalise/headers.ts'
import { identify, type Identity } from '../normalise/identity.ts'
import { append, type NewEvent, type Stored } from '../store/append.ts'
import { eventStore, type PastEvent } from '../store/events.ts'
import { createAccountFinder } from './accounts.ts'

/** Receives alerts: a body of any shape is stored with its event in one transaction before it is acknowledged. */
export function createWebhooks({
  db,
  store,
  received,
  datadog,
  log
}: {
  db: Knex
  /** The call of `webhooks_store`. */
  store: Statement
  received: KeptEvent
  datadog: DatadogService | undefined
  log: Logger
}): Webhooks {
  const accountOf = createAccountFinder(datadog)
  const commit = createGroupCommit<NewEvent, Stored>(
    async events => {
      const stored = await append(store, received.queues(), events)
      received.told()
      return stored
    },
    { parallel: 1, size: event => event.raw.length }
  )

  return {
    storePast: alerts => eventStore.insertPast(db, alerts.map(pastEvent)),
    counts: limit => eventStore.counts(db, limit),
    async body(eventId) {
      const body = await eventStore.body(db, eventId)
      const contentType = String(body?.headers['content-type'] ?? 'application/json')
      return body && { raw: body.raw, contentType }
    },
    async receive({ raw, headers, account: name }): Promise<Receipt> {
      const identity = identify(raw, headers)
      const account = await accountOf(name, identity.orgId)
      const { id, duplicate } = await commit.add(newEvent(raw, headers, identity, account))
      if (identity.parseError !== null)
        log.warn(
          { event: id, reason: identity.parseError },
          'a webhook was not plain JSON; it is kept as it came'
        )
      return { eventId: id, duplicate, account }
    }
  }
}

function newEvent(
  raw: Uint8Array,
  headers: Headers,
  identity: Identity,
  account: string | null
): NewEvent {
  const { deliveryId, problem, transition, status, monitorId, service } = identity
  return {
    key: deliveryKey([account, deliveryId ?? `bytes ${hash('sha256', raw, 'binary')}`]),
    named: deliveryId !== null,
    problem: problem === null ? null : numberOf(JSON.stringify([account, problem])),
    transition,
    account,
    receivedAt: Date.now(),
    status,
    monitorId,
    service,
    headers: keptHeaders(headers),
    raw
  }
}

// Half a SHA-256 keeps the index small; equal halves do not happen by accident.
const deliveryKey = (parts: readonly (string | null)[]): string =>
  hash('sha256', JSON.stringify(parts), 'binary').slice(0, 16)

/** A number below 2^53 for a text: where two texts share one, an equal delivery is taken for a new one at worst. */
function numberOf(text: string): number {
  let [high, low] = [0xdeadbeef, 0x41c6ce57]
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    high = Math.imul(high ^ code, 2_654_435_761)
    low = Math.imul(low ^ code, 1_597_334_677)
  }
  return 4_294_967_296 * (2_097_151 & high) + (low >>> 0)
}

// What a better reader may need one day; a stored header must not become a stored secret.
const kept = [
  'content-type',
  'content-encoding',
  'user-agent',
  'x-datadog-trace-id',
  'x-forwarded-for',
  'x-rayne-forwarded',
  'webhook-id',
  'webhook-timestamp',
  'webhook-signature'
]

/** The headers as JSON; null for a webhook that brings nothing but plain JSON, as most of a test's do. */
function keptHeaders(headers: Headers): string | null {
  let found: Record<string, string> | undefined
  for (const name of kept) {
    const value = headers[name] === undefined ? '' : header(headers, name)
    if (value === '' || (name === 'content-type' && value === 'application/json')) continue
    found ??= {}
    found[name] = value
  }
  return found ? JSON.stringify(found) : null
}

function pastEvent(past: PastAlert): PastEvent {
  const raw = Buffer.from(JSON.stringify(past.body))
  const { status, monitorId, service } = identify(raw, {})
  return { key: past.key, receivedAt: past.receivedAt, status, monitorId, service, raw }
}
