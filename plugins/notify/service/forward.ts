import { Webhook } from 'standardwebhooks'
import { RayneError, type JobContext, type Knex } from '../../../core/index.ts'
import type { ForwardDue, Webhooks } from '../../webhooks/contract.ts'
import { notifyErrors } from '../contract.ts'
import { post } from './post.ts'

/** Forwards one webhook to one address; what is refused is not tried again, what may pass is, by the queue. */
export const createForwarding =
  (db: Knex, webhooks: Webhooks, secret: string) =>
  async (due: ForwardDue, context: JobContext): Promise<void> => {
    const body = await webhooks.body(due.event_id)
    if (!body) return
    const id = `fwd_${due.config_id}_${due.event_id}`
    try {
      const headers = {
        'content-type': body.contentType,
        'x-rayne-forwarded': String(due.event_id),
        ...(due.format === 'signed' ? signatureOf(secret, id, body.raw) : {})
      }
      await post(due.url, body.raw, headers, context.signal)
    } catch (error) {
      const mayPass = error instanceof RayneError && error.code === 'channel-unavailable'
      if (!mayPass) await db.transaction(trx => context.endRetries(trx))
      throw error
    }
  }

function signatureOf(secret: string, id: string, raw: Buffer): Record<string, string> {
  if (secret === '')
    throw new RayneError({
      code: notifyErrors['no-forward-secret'],
      message: 'a config wants webhooks signed, and RAYNE_NOTIFY_FORWARD_SECRET is not set'
    })
  const at = new Date()
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
    'webhook-signature': new Webhook(secret).sign(id, at, raw.toString('utf8'))
  }
}
