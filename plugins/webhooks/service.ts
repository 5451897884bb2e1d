import { createHash } from 'node:crypto'
import { createGroupCommit, type Knex, type Logger } from '../../core/index.ts'
import type { DatadogService } from '../datadog-proxy/contract.ts'
import { AlertReceived, type Receipt, type Webhooks } from './contract.ts'
import { payloadFields } from './event.ts'
import { dedupeKey, normalise } from './normalise/normalise.ts'
import { eventStore, type NewEvent } from './store.ts'

type Emit = (
  trx: Knex.Transaction,
  event: typeof AlertReceived,
  ...payloads: AlertReceived[]
) => Promise<void>

// A stored header must not become a stored secret.
const kept = [
  'content-type',
  'content-encoding',
  'content-length',
  'user-agent',
  'x-datadog-trace-id',
  'x-forwarded-for',
  'webhook-id',
  'webhook-timestamp',
  'webhook-signature'
]

// Half a SHA-256 keeps the unique index small; equal halves do not happen by accident.
const digest = (key: string): string => createHash('sha256').update(key).digest('hex').slice(0, 32)

/** Receives alerts: whatever its shape, a body is stored with its event in one transaction before it is acknowledged. */
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
  const commit = createGroupCommit<NewEvent, Receipt>(
    events =>
      db.transaction(async trx => {
        const inserted = await eventStore.insert(trx, events)
        const fresh = events.flatMap((event, index) =>
          inserted[index]?.duplicate ? [] : [{ event, id: inserted[index]?.id ?? 0 }]
        )
        await emit(
          trx,
          AlertReceived,
          ...fresh.map(({ event, id }) => ({
            event_id: id,
            account: event.account,
            received_at: event.receivedAt.getTime(),
            alert: event.alert
          }))
        )
        return events.map((event, index) => ({
          eventId: inserted[index]?.id ?? 0,
          duplicate: inserted[index]?.duplicate ?? false,
          account: event.account
        }))
      }),
    { size: event => event.raw.length }
  )

  /** Path name (404 when unknown) → organisation id → default account → none. */
  async function route(name: string | undefined, orgId: string | null): Promise<string | null> {
    if (!datadog) return name ?? null
    if (name !== undefined) return (await datadog.account(name)).name
    const owner = orgId === null ? undefined : await datadog.accountOfOrg(orgId)
    if (owner) return owner.name
    return (await datadog.list()).find(account => account.isDefault)?.name ?? null
  }

  return {
    storePast: alerts => eventStore.insertPast(db, alerts),
    counts: limit => eventStore.counts(db, limit),
    async receive({ raw, headers, account: name }) {
      const receivedAt = new Date()
      const { alert, fields } = normalise(raw, headers)
      const account = await route(name, alert.org_id)
      const receipt = await commit.add({
        dedupeKey: digest(dedupeKey({ account, alert, raw, receivedAt: receivedAt.getTime() })),
        account,
        receivedAt,
        raw,
        fields: payloadFields(fields),
        alert,
        headers: Object.fromEntries(
          kept.flatMap(key => (headers[key] === undefined ? [] : [[key, headers[key]]]))
        )
      })
      if (alert.parse_error)
        log.warn(
          { event: receipt.eventId, reason: alert.parse_error },
          'a webhook was not plain JSON; it is kept as it came'
        )
      return receipt
    }
  }
}
