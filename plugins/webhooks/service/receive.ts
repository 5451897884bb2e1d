import { createHash, hash } from 'node:crypto'
import { createGroupCommit, type Knex, type Logger } from '../../../core/index.ts'
import type { DatadogService } from '../../datadog-proxy/contract.ts'
import { AlertReceived, type PastAlert, type Receipt, type Webhooks } from '../contract.ts'
import { header, type Headers } from '../normalise/headers.ts'
import { identify, type Identity } from '../normalise/identity.ts'
import { append, storeStatement, type NewEvent } from '../store/append.ts'
import { eventStore, type PastEvent } from '../store/events.ts'
import { createAccountFinder } from './accounts.ts'
import { createEventReader } from './read-events.ts'

type Emit = (
  trx: Knex.Transaction,
  event: typeof AlertReceived,
  ...payloads: AlertReceived[]
) => Promise<void>

/** Receives alerts: a body of any shape is stored with its event in one transaction before it is acknowledged. */
export function createWebhooks({
  db,
  emit,
  datadog,
  log
}: {
  db: Knex
  emit: Emit
  datadog: DatadogService | undefined
  log: Logger
}): Webhooks {
  const accountOf = createAccountFinder(datadog)
  const commit = createGroupCommit<NewEvent, { id: number; duplicate: boolean }>(
    given =>
      db.transaction(async trx => {
        const stored = await append(async values => {
          const { rows } = await trx.raw(storeStatement.text.replaceAll(/\$\d+/g, '?'), values)
          return rows[0].ids
        }, given)
        const fresh = stored.filter(one => !one.duplicate).map(one => one.id)
        await emit(trx, AlertReceived, ...(await createEventReader(trx, undefined).received(fresh)))
        return stored
      }),
    { size: event => event.raw.length }
  )

  return {
    storePast: alerts => eventStore.insertPast(db, alerts.map(pastEvent)),
    counts: limit => eventStore.counts(db, limit),
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
    key: deliveryId === null ? bytesKey(account, raw) : key([account, deliveryId]),
    named: deliveryId !== null,
    problem: problem === null ? null : key([account, problem]),
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
const keyBytes = 16
const key = (parts: readonly (string | null)[]): Buffer =>
  hash('sha256', JSON.stringify(parts), 'buffer').subarray(0, keyBytes)
const bytesKey = (account: string | null, raw: Uint8Array): Buffer =>
  createHash('sha256')
    .update(JSON.stringify([account]))
    .update(raw)
    .digest()
    .subarray(0, keyBytes)

// What a better reader may need one day; a stored header must not become a stored secret.
const kept = [
  'content-type',
  'content-encoding',
  'user-agent',
  'x-datadog-trace-id',
  'x-forwarded-for',
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
