import { createHash, randomBytes } from 'node:crypto'
import { minuteMs, notFound, RayneError, type Knex } from '../../../core/index.ts'
import { rcaErrors, type Approvals, type Wish } from '../contract.ts'
import { approvalStore, type ApprovalRow } from '../store/approvals.ts'

/** How long a wish waits for a person, and how long a person's word holds. */
const waitMs = 60 * minuteMs
const validMs = 15 * minuteMs
const mostWaiting = 20

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** The same for the same action, whatever the order of its fields. */
const hashOf = ({ tool, account, input }: Wish): string => sha256(stable([tool, account, input]))
const stable = (value: unknown): string =>
  JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part
  )

/** What tools want to change waits here for a person; the rows stay as the record of who allowed what. */
export const createApprovals = (db: Knex): Approvals & ApprovalDesk => ({
  async propose(wish, by) {
    const row = await db.transaction(async trx => {
      if ((await approvalStore.waiting(trx, by)) >= mostWaiting)
        throw new RayneError({
          code: rcaErrors['too-many-wishes'],
          message: `${by} has ${mostWaiting} changes that wait for a person: let them be decided first`
        })
      const { tool, account, says, input } = wish
      return approvalStore.open(trx, {
        tool,
        account,
        says,
        arguments: JSON.stringify(input),
        hash: hashOf(wish),
        asked_by: by,
        expires_at: new Date(Date.now() + waitMs)
      })
    })
    return { id: row.id, expiresAt: row.expires_at }
  },
  async spend(approval, wish, by) {
    const [id = '', secret = ''] = (approval ?? '').split('.')
    if (!/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i.test(id) || secret === '')
      throw refused('is missing: call with dry_run first, and let a person approve what it says')
    const hash = hashOf(wish)
    if (!(await approvalStore.use(db, { id, secretHash: sha256(secret), hash, by })))
      throw refused(
        'does not hold: it was used, it has run out, or it is for another tool, account or input'
      )
    return { id, done: outcome => approvalStore.ended(db, id, outcome.slice(0, 500)) }
  },
  list: limit => approvalStore.list(db, limit),
  async decide(id, decision, by) {
    if (!(await approvalStore.find(db, id))) throw notFound('approval', id, 'GET /v1/rca/approvals')
    const secret = decision === 'approved' ? randomBytes(32).toString('base64url') : null
    const row = await approvalStore.decide(db, id, {
      decision,
      by,
      secretHash: secret === null ? null : sha256(secret),
      expiresAt: new Date(Date.now() + validMs)
    })
    if (!row)
      throw new RayneError({
        code: rcaErrors['approval-decided'],
        message: 'this was decided already, or waited for more than an hour: ask for it again'
      })
    return { row, approval: secret === null ? null : `${id}.${secret}` }
  }
})

/** What people do with wishes. */
export interface ApprovalDesk {
  list(limit: number): Promise<readonly ApprovalRow[]>
  /** The approval is shown this once. */
  decide(
    id: string,
    decision: 'approved' | 'rejected',
    by: string
  ): Promise<{ readonly row: ApprovalRow; readonly approval: string | null }>
}

const refused = (why: string): RayneError =>
  new RayneError({ code: rcaErrors['approval-refused'], message: `the approval ${why}` })
