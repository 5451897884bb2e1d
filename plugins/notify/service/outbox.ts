import {
  errorText,
  hourMs,
  RayneError,
  secondMs,
  type JobContext,
  type JobHandle,
  type Knex
} from '../../../core/index.ts'
import type { Route } from '../config.ts'
import type { Channel, Message } from '../contract.ts'
import { messageStore, type Delivery, type Thread } from '../store.ts'
import { chooseRoute } from './choose-route.ts'
import type { Facts } from './compose.ts'
import type { Manner } from './threads.ts'

export interface Send {
  readonly deliveryId: number
}
export interface OutboxOptions {
  readonly db: Knex
  readonly channels: readonly Channel[]
  readonly routes: readonly Route[]
  readonly now?: () => number
}

/**
 * Messages on their way: a job for each channel, put in line in the transaction that makes the message. A delivery
 * sends what its thread says at that time, so that what came meanwhile goes along, and an older one has nothing left
 * to do. Where the service can edit, the first message is edited.
 */
export function createOutbox({ db, channels, routes, now = Date.now }: OutboxOptions) {
  const byName = new Map(channels.map(channel => [channel.name, channel]))
  const choose = (message: Message, facts: Facts) =>
    chooseRoute(routes, [...byName.keys()], message, facts, now())

  async function enqueue(
    trx: Knex.Transaction,
    job: JobHandle<Send>,
    deliveryId: number,
    delaySeconds: number
  ): Promise<void> {
    await job.enqueue({ deliveryId }, { trx, delaySeconds })
  }

  return {
    choose,

    /** Puts what a thread says in line for other channels, now. */
    async tellAlso(
      trx: Knex.Transaction,
      job: JobHandle<Send>,
      { id: threadId, message }: Thread,
      others: readonly string[]
    ): Promise<void> {
      for (const channel of others) {
        const { revision } = message
        const id = await messageStore.addDelivery(trx, {
          threadId,
          channel,
          revision,
          calms: false
        })
        if (id !== undefined) await enqueue(trx, job, id, 0)
      }
    },

    /** Puts a message in line for every channel that takes it. */
    async tell(
      trx: Knex.Transaction,
      job: JobHandle<Send>,
      threadId: number,
      message: Message,
      facts: Facts,
      manner: Manner
    ): Promise<void> {
      const chosen = choose(message, facts)
      // Who was told by an escalation is told of the end too.
      const told = (await messageStore.toldOf(trx, threadId))
        .filter(name => byName.has(name) && chosen.every(({ channel }) => channel !== name))
        .map(channel => ({ channel, route: null, waitSeconds: 0, perHour: null }))
      for (const { channel, route, ...one } of [...chosen, ...told]) {
        const edits = byName.get(channel)?.update !== undefined
        if (!edits && manner.isQuiet) continue
        const calm = edits ? 0 : manner.waitSeconds
        const id = await messageStore.addDelivery(trx, {
          threadId,
          channel,
          revision: message.revision,
          calms: calm > 0
        })
        if (id === undefined) continue
        const waitSeconds = Math.max(one.waitSeconds, calm)
        const reason =
          calm > one.waitSeconds
            ? 'waits whether it keeps still'
            : `quiet hours of route '${route}'`
        if (waitSeconds > 0)
          await messageStore.delay(trx, id, { reason, seconds: waitSeconds, tried: false })
        await enqueue(trx, job, id, waitSeconds)
      }
    },

    /** One try; what may pass is tried again by the queue, or when the service asks for it. */
    async run({ deliveryId }: Send, context: JobContext, job: JobHandle<Send>): Promise<void> {
      const delivery = await messageStore.delivery(db, deliveryId)
      if (!delivery || !['pending', 'waiting'].includes(delivery.state)) return
      const thread = await messageStore.find(db, delivery.threadId)
      if (!thread) return
      const end = endings(db, context, delivery)
      const channel = byName.get(delivery.channel)
      if (!channel) return end.failed(`there is no channel '${delivery.channel}' any more`)
      const post = await messageStore.post(db, thread.id, channel.name)
      if (post && post.revision >= delivery.revision)
        return end.superseded('a later message went in its place')
      // Back to what was said last: it flapped meanwhile.
      if (post && !channel.update && delivery.calms && post.state === thread.message.state)
        return end.superseded('it was back to what was said before it was told')
      const share = choose(thread.message, thread.facts).find(one => one.channel === channel.name)
      const seconds = await secondsOverShare(db, channel.name, share?.perHour ?? null, now())
      const later = (reason: string, wait: number, tried: boolean): Promise<void> =>
        db.transaction(async trx => {
          await context.fence(trx)
          await messageStore.delay(trx, delivery.id, { reason, seconds: wait, tried })
          await enqueue(trx, job, delivery.id, wait)
        })
      if (seconds > 0) return later(`more than ${share?.perHour} an hour`, seconds, false)
      try {
        const reference = await give(channel, thread, post, context)
        await end.sent(reference ?? post?.reference ?? null, thread.message)
      } catch (error) {
        const wait = waitOf(error)
        if (wait !== undefined) return later(errorText(error), wait, true)
        await end.tried(error)
        throw error
      }
    }
  }
}
export type Outbox = ReturnType<typeof createOutbox>

/** Edits the message of the thread, or sends one. */
async function give(
  channel: Channel,
  { id, message }: Thread,
  post: { readonly reference: string | null } | undefined,
  { signal }: JobContext
): Promise<string | undefined> {
  const context = { id: `msg_${id}_${message.revision}`, signal }
  if (!post?.reference || !channel.update) return channel.send(message, context)
  await channel.update(post.reference, message, context)
  return undefined
}

/** Seconds that a service asked for; undefined where it did not. */
const waitOf = (error: unknown): number | undefined =>
  error instanceof RayneError && typeof error.details.retryAfterSeconds === 'number'
    ? error.details.retryAfterSeconds
    : undefined

/** Whether the same message may go through later. */
const mayPass = (error: unknown): boolean =>
  !(error instanceof RayneError) || error.code === 'channel-unavailable'

function endings(db: Knex, context: JobContext, delivery: Delivery) {
  const fenced = (run: (trx: Knex.Transaction) => Promise<void>): Promise<void> =>
    db.transaction(async trx => {
      await context.fence(trx)
      await run(trx)
    })
  const { id, threadId, channel } = delivery
  return {
    sent: (reference: string | null, { revision, state }: Message) =>
      fenced(async trx => {
        await messageStore.savePost(trx, threadId, channel, { reference, revision, state })
        await messageStore.endDelivery(trx, id, 'sent', null, true)
      }),
    superseded: (reason: string) =>
      fenced(trx => messageStore.endDelivery(trx, id, 'superseded', reason, false)),
    failed: (reason: string) =>
      fenced(trx => messageStore.endDelivery(trx, id, 'failed', reason, false)),
    /** After the last try, and at once where no other would help, the delivery has failed and is kept. */
    tried: (error: unknown) =>
      fenced(async trx => {
        if (!mayPass(error)) await context.endRetries(trx)
        if (context.lastAttempt || !mayPass(error))
          await messageStore.endDelivery(trx, id, 'failed', errorText(error), true)
        else
          await messageStore.delay(trx, id, { reason: errorText(error), seconds: 2, tried: true })
      })
  }
}

/** Seconds until a channel may have another message; 0 for now. */
async function secondsOverShare(
  db: Knex,
  channel: string,
  perHour: number | null,
  now: number
): Promise<number> {
  if (perHour === null) return 0
  const { count, firstAt } = await messageStore.sentWithinHour(db, channel)
  if (count < perHour || firstAt === null) return 0
  return Math.max(1, Math.ceil((firstAt.getTime() + hourMs - now) / secondMs))
}
