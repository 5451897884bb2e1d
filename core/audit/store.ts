import { createHash } from 'node:crypto'
import type { Knex } from 'knex'
import type { Logger } from '../log.ts'
import { minuteMs } from '../time.ts'

/** What happened, who did it, and how it ended; never a secret, a body or a query. */
export interface AuditEntry {
  readonly actor: string
  readonly action: string
  readonly outcome: string
  readonly address: string
}
/** An entry as it is kept: each hash covers the one before, so that none can be changed or left out unseen. */
export interface AuditRow extends AuditEntry {
  readonly id: string
  readonly at: Date
  readonly previous: string
  readonly hash: string
}

const maxRefusals = 120
const lockKey = 4_150_001

const hashOf = (row: Omit<AuditRow, 'hash'>): string =>
  createHash('sha256')
    .update(
      JSON.stringify([
        row.previous,
        String(row.id),
        row.at.toISOString(),
        row.actor,
        row.action,
        row.outcome,
        row.address
      ])
    )
    .digest('hex')

/** The log of who did what; entries are written one after another, also when several processes write. */
export function createAudit(db: Knex, log: Logger) {
  let last: Promise<unknown> = Promise.resolve()
  let refusals = { since: 0, count: 0 }

  const append = (entry: AuditEntry): Promise<void> =>
    db.transaction(async trx => {
      await trx.raw('select pg_advisory_xact_lock(?)', [lockKey])
      const before = await trx<AuditRow>('core_audit').orderBy('id', 'desc').first()
      const id = String(Number(before?.id ?? 0) + 1)
      const row = { ...entry, id, at: new Date(), previous: before?.hash ?? '' }
      await trx('core_audit').insert({ ...row, hash: hashOf(row) })
    })

  function add(entry: AuditEntry): void {
    last = last
      .then(() => append(entry))
      .catch((error: unknown) => log.error({ error, ...entry }, 'the audit log took no entry'))
  }

  return {
    add,
    /** A refusal, of which a flood is not written down whole: the log says where it stopped. */
    refused(entry: AuditEntry): void {
      if (Date.now() - refusals.since > minuteMs) refusals = { since: Date.now(), count: 0 }
      refusals.count += 1
      if (refusals.count < maxRefusals) add(entry)
      if (refusals.count === maxRefusals)
        add({ ...entry, action: 'refusals', outcome: 'more in this minute are not written down' })
    },
    /** The newest entries, from below an id; what was added before is among them. */
    async list(limit: number, before?: number): Promise<AuditRow[]> {
      await last
      const rows = db<AuditRow>('core_audit').orderBy('id', 'desc').limit(limit)
      return before === undefined ? rows : rows.where('id', '<', String(before))
    },
    /** How many entries hang together, and the first that does not, if there is one. */
    async verify(): Promise<{ entries: number; broken: string | null }> {
      await last
      let previous = ''
      let entries = 0
      for (;;) {
        const rows = await db<AuditRow>('core_audit')
          .where('id', '>', entries)
          .orderBy('id')
          .limit(1_000)
        for (const row of rows) {
          const isNext = Number(row.id) === entries + 1 && row.previous === previous
          if (!isNext || row.hash !== hashOf(row)) return { entries, broken: String(row.id) }
          entries += 1
          previous = row.hash
        }
        if (rows.length === 0) return { entries, broken: null }
      }
    },
    idle: (): Promise<unknown> => last
  }
}
export type Audit = ReturnType<typeof createAudit>
