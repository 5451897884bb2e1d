import {
  defineRoute,
  mayRead,
  notFound,
  RayneError,
  reply,
  Type,
  type Reply,
  type Route,
  type Static
} from '../../../core/index.ts'
import type { Receipt, Webhooks } from '../contract.ts'

const Accepted = Type.Object({
  event_id: Type.Integer({ minimum: 1 }),
  status: Type.String(),
  message: Type.String(),
  account_name: Type.Optional(Type.String()),
  duplicate_of: Type.Optional(Type.Integer())
})
const anyBody = {
  method: 'POST',
  auth: 'scope:webhooks',
  rawBody: true,
  maxBodyBytes: 1_048_576,
  response: Accepted,
  status: 202,
  also: {
    200: 'this delivery came before: `duplicate_of` names its event, and nothing new is started',
    401: 'no valid ingest secret',
    404: 'the account in the path does not exist',
    413: 'over 1 MB',
    503: 'the database is away or takes no writes; send it again'
  }
} as const

/** The door for webhooks, with and without the name of an account. */
export const receiveRoutes = (webhooks: Webhooks): Route[] => [
  defineRoute({
    ...anyBody,
    path: '/webhooks/receive',
    summary: 'Receive a Datadog webhook',
    description: 'Any body is stored; the answer means committed.',
    handle: ({ body, headers, principal }) =>
      receive(webhooks, { raw: body, headers }, mayRead(principal))
  }),
  defineRoute({
    ...anyBody,
    path: '/webhooks/receive/{account}',
    summary: 'Receive a webhook for a named account',
    params: Type.Object({ account: Type.String() }),
    handle: ({ body, headers, principal, params: { account } }) =>
      receive(webhooks, { raw: body, headers, account }, mayRead(principal))
  })
]

/** `mayKnow`: a sender learns no name of an account but the one it named itself. */
async function receive(
  webhooks: Webhooks,
  delivery: Parameters<Webhooks['receive']>[0],
  mayKnow: boolean
): Promise<Reply<Static<typeof Accepted>>> {
  const receipt = await webhooks.receive(delivery).catch((error: unknown) => {
    if (mayKnow || !(error instanceof RayneError) || error.code !== 'account-not-found') throw error
    throw notFound('account', 'of this name', 'GET /v1/accounts')
  })
  const told =
    mayKnow || receipt.account === delivery.account ? receipt : { ...receipt, account: null }
  return told.duplicate ? duplicate(told) : accepted(told)
}

const accepted = (receipt: Receipt): Reply<Static<typeof Accepted>> =>
  reply(202, {
    event_id: receipt.eventId,
    status: 'accepted',
    message: 'Webhook received and queued for processing',
    ...named(receipt)
  })

const duplicate = (receipt: Receipt): Reply<Static<typeof Accepted>> =>
  reply(200, {
    event_id: receipt.eventId,
    status: 'duplicate',
    message: 'This webhook was received before',
    duplicate_of: receipt.eventId,
    ...named(receipt)
  })

const named = ({ account }: Receipt): { account_name?: string } =>
  account === null ? {} : { account_name: account }
