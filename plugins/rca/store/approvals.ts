import type { Knex } from '../../../core/index.ts'

/** One thing a tool wants to change; `secretHash` is of what stands for a person's word. */
export interface ApprovalRow {
  readonly id: string
  readonly tool: string
  readonly account: string
  readonly arguments: unknown
  readonly says: string
  readonly asked_by: string
  readonly asked_at: Date
  readonly expires_at: Date
  readonly decision: 'approved' | 'rejected' | null
  readonly decided_by: string | null
  readonly used_at: Date | null
  readonly outcome: string | null
}
type NewApproval = Pick<ApprovalRow, 'tool' | 'account' | 'says' | 'asked_by' | 'expires_at'> & {
  readonly arguments: string
  readonly hash: string
}

/** All SQL of approvals. */
export const approvalStore = {
  /** The same wish of the same caller is the same row for as long as it waits. */
  async open(trx: Knex.Transaction, wish: NewApproval): Promise<ApprovalRow> {
    const [waiting] = await trx('rca_approvals')
      .where({ asked_by: wish.asked_by, hash: wish.hash, decision: null })
      .where('expires_at', '>', trx.fn.now())
    return waiting ?? (await trx('rca_approvals').insert(wish).returning('*'))[0]
  },
  /** How many wishes of a caller wait for a person. */
  async waiting(trx: Knex.Transaction, askedBy: string): Promise<number> {
    await trx.raw("select pg_advisory_xact_lock(hashtextextended('rca wish ' || ?, 0))", [askedBy])
    const [row] = await trx('rca_approvals')
      .where({ asked_by: askedBy, decision: null })
      .where('expires_at', '>', trx.fn.now())
      .count({ waiting: '*' })
    return Number(row?.['waiting'])
  },
  list: (db: Knex, limit: number): Promise<ApprovalRow[]> =>
    db('rca_approvals').orderBy('asked_at', 'desc').limit(limit),
  find: (db: Knex, id: string): Promise<ApprovalRow | undefined> =>
    db('rca_approvals').where({ id }).first(),
  /** Undefined when it is decided already, or too late. */
  async decide(
    db: Knex,
    id: string,
    said: {
      decision: 'approved' | 'rejected'
      by: string
      secretHash: string | null
      expiresAt: Date
    }
  ): Promise<ApprovalRow | undefined> {
    const [row] = await db('rca_approvals')
      .where({ id, decision: null })
      .where('expires_at', '>', db.fn.now())
      .update({
        decision: said.decision,
        decided_by: said.by,
        decided_at: db.fn.now(),
        secret_hash: said.secretHash,
        expires_at: said.expiresAt
      })
      .returning('*')
    return row
  },
  /** Takes an approval: once, in time, and for exactly this. */
  async use(
    db: Knex,
    { id, secretHash, hash, by }: { id: string; secretHash: string; hash: string; by: string }
  ): Promise<boolean> {
    const used = await db('rca_approvals')
      .where({ id, hash, secret_hash: secretHash, decision: 'approved', used_at: null })
      .where('expires_at', '>', db.fn.now())
      .update({ used_at: db.fn.now(), used_by: by })
    return used === 1
  },
  async ended(db: Knex, id: string, outcome: string): Promise<void> {
    await db('rca_approvals').where({ id }).update({ outcome })
  }
}
