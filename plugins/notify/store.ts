import type { Knex } from '../../core/index.ts'
import type { Message } from './contract.ts'
import type { Cause, Facts } from './service/compose.ts'

/** What is said of one problem while it lasts. */
export interface Thread {
  readonly id: number
  readonly message: Message
  readonly facts: Facts
  readonly cause: Cause | null
}
export type DeliveryState = 'pending' | 'sent' | 'waiting' | 'failed' | 'superseded'
export interface Delivery {
  readonly id: number
  readonly threadId: number
  readonly channel: string
  readonly revision: number
  readonly state: DeliveryState
  /** Whether it waits for the problem to keep still. */
  readonly calms: boolean
  readonly attempts: number
  readonly reason: string | null
  readonly nextAt: Date | null
  readonly createdAt: Date
  readonly endedAt: Date | null
  readonly title: string
}

/** What a channel was told last. */
export interface Post {
  readonly reference: string | null
  readonly revision: number
  readonly state: string | null
}

/** All SQL of messages. */
export const messageStore = {
  /** The newest thread of a key, held until the transaction ends. */
  async newest(trx: Knex.Transaction, key: string): Promise<Thread | undefined> {
    await trx.raw('select pg_advisory_xact_lock(hashtextextended(?, 7220117))', [key])
    const row = await trx('notify_threads').where({ key }).orderBy('id', 'desc').first()
    return row && threadOf(row)
  },
  async open(
    trx: Knex.Transaction,
    key: string,
    message: Message,
    facts: Facts,
    cause: Cause | null
  ): Promise<number> {
    const [row] = await trx('notify_threads')
      .insert({
        key,
        revision: message.revision,
        message: JSON.stringify(message),
        facts: JSON.stringify(facts),
        cause: cause && JSON.stringify(cause),
        closed_at: message.state === 'resolved' ? trx.fn.now() : null
      })
      .returning('id')
    return Number(row?.id)
  },
  async change(
    trx: Knex.Transaction,
    id: number,
    message: Message,
    cause: Cause | null
  ): Promise<void> {
    const { revision, state } = message
    await trx('notify_threads')
      .where({ id })
      .update({
        revision,
        message: JSON.stringify(message),
        cause: cause && JSON.stringify(cause),
        closed_at: state === 'resolved' ? trx.fn.now() : null
      })
  },
  async find(db: Knex, id: number): Promise<Thread | undefined> {
    const row = await db('notify_threads').where({ id }).first()
    return row && threadOf(row)
  },
  /** The channels that were told of a thread. */
  toldOf: (db: Knex, threadId: number): Promise<string[]> =>
    db('notify_posts').where({ thread_id: threadId }).orderBy('channel').pluck('channel'),
  /** What a channel has been told of a thread, and under which name. */
  async post(db: Knex, threadId: number, channel: string): Promise<Post | undefined> {
    return db('notify_posts')
      .where({ thread_id: threadId, channel })
      .first('reference', 'revision', 'state')
  },
  async savePost(
    trx: Knex.Transaction,
    threadId: number,
    channel: string,
    post: Post
  ): Promise<void> {
    await trx('notify_posts')
      .insert({ thread_id: threadId, channel, ...post })
      .onConflict(['thread_id', 'channel'])
      .merge()
  },
  /** True when it is new. */
  async addDelivery(
    trx: Knex.Transaction,
    delivery: Pick<Delivery, 'threadId' | 'channel' | 'revision' | 'calms'>
  ): Promise<number | undefined> {
    const { threadId, channel, revision, calms } = delivery
    const [row] = await trx('notify_deliveries')
      .insert({ thread_id: threadId, channel, revision, calms, state: 'pending' })
      .onConflict(['thread_id', 'channel', 'revision'])
      .ignore()
      .returning('id')
    return row && Number(row.id)
  },
  async delivery(db: Knex, id: number): Promise<Delivery | undefined> {
    const row = await listed(db).where('notify_deliveries.id', id).first()
    return row && deliveryOf(row)
  },
  async endDelivery(
    trx: Knex.Transaction,
    id: number,
    state: DeliveryState,
    reason: string | null,
    tried: boolean
  ): Promise<void> {
    await trx('notify_deliveries')
      .where({ id })
      .update({ state, reason, next_at: null, ended_at: trx.fn.now() })
      .increment('attempts', tried ? 1 : 0)
  },
  async delay(
    trx: Knex.Transaction,
    id: number,
    { reason, seconds, tried }: { reason: string; seconds: number; tried: boolean }
  ): Promise<void> {
    await trx('notify_deliveries')
      .where({ id })
      .update({
        state: 'waiting',
        reason,
        next_at: trx.raw(`now() + ? * interval '1 second'`, [seconds])
      })
      .increment('attempts', tried ? 1 : 0)
  },
  /** True when the delivery had failed and is in line again. */
  async redrive(trx: Knex.Transaction, id: number): Promise<boolean> {
    const changed = await trx('notify_deliveries')
      .where({ id, state: 'failed' })
      .update({ state: 'pending', reason: null, ended_at: null })
    return changed > 0
  },
  /** Messages that a channel got within the hour, and when the first of them leaves it. */
  async sentWithinHour(
    db: Knex,
    channel: string
  ): Promise<{ readonly count: number; readonly firstAt: Date | null }> {
    const [row] = await db('notify_deliveries')
      .where({ channel, state: 'sent' })
      .where('ended_at', '>', db.raw(`now() - interval '1 hour'`))
      .select(db.raw('count(*)::int as count'), db.raw('min(ended_at) as "firstAt"'))
    return row
  },
  async list(
    db: Knex,
    filter: { readonly channel?: string; readonly state?: string; readonly before?: number },
    limit: number
  ): Promise<Delivery[]> {
    const rows = await listed(db)
      .where(query => {
        if (filter.channel !== undefined) query.where('channel', filter.channel)
        if (filter.state !== undefined) query.where('notify_deliveries.state', filter.state)
        if (filter.before !== undefined) query.where('notify_deliveries.id', '<', filter.before)
      })
      .orderBy('notify_deliveries.id', 'desc')
      .limit(limit)
    return rows.map(deliveryOf)
  }
}

const listed = (db: Knex) =>
  db('notify_deliveries')
    .join('notify_threads', 'notify_threads.id', 'thread_id')
    .select('notify_deliveries.*', db.raw(`message ->> 'title' as title`))

interface ThreadRow {
  id: string
  message: Message
  facts: Facts
  cause: Cause | null
}
const threadOf = (row: ThreadRow): Thread => ({
  id: Number(row.id),
  message: row.message,
  facts: row.facts,
  cause: row.cause
})

interface DeliveryRow {
  id: string
  thread_id: string
  channel: string
  revision: number
  state: DeliveryState
  calms: boolean
  attempts: number
  reason: string | null
  next_at: Date | null
  created_at: Date
  ended_at: Date | null
  title: string
}
const deliveryOf = (row: DeliveryRow): Delivery => ({
  id: Number(row.id),
  threadId: Number(row.thread_id),
  channel: row.channel,
  revision: row.revision,
  state: row.state,
  calms: row.calms,
  attempts: row.attempts,
  reason: row.reason,
  nextAt: row.next_at,
  createdAt: row.created_at,
  endedAt: row.ended_at,
  title: row.title
})
