import { defineErrors } from '../../core/index.ts'

/** What one message says, for any channel; texts may come from a sender and are escaped by each channel. */
export interface Message {
  /** The same for every message about one problem, so that services can group and edit. */
  readonly key: string
  /** Counts up with each thing told about the problem. */
  readonly revision: number
  readonly state: 'firing' | 'analysed' | 'failed' | 'resolved' | 'test'
  readonly severity: 'critical' | 'warning' | 'info'
  readonly title: string
  /** What is wrong, since when, and the suspected cause, a sentence each. */
  readonly lines: readonly string[]
  /** The next click first. */
  readonly links: readonly { readonly label: string; readonly url: string }[]
  readonly account: string | null
  readonly service: string | null
  /** Epoch milliseconds. */
  readonly at: number
  readonly monitorType: string | null
  /** How many monitors and scopes it is about. */
  readonly members: number
}

/** What a channel needs besides the message. */
export interface SendContext {
  /** The same for every try of one message. */
  readonly id: string
  readonly signal: AbortSignal
}

/** A way to people. */
export interface Channel {
  readonly name: string
  readonly kind: string
  /** Answers how the service names the message, where it can be edited later. */
  send(message: Message, context: SendContext): Promise<string | undefined>
  /** Edits a message; absent where the service cannot. */
  update?(reference: string, message: Message, context: SendContext): Promise<void>
}

/** The errors of this plugin. */
export const notifyErrors = defineErrors({
  'channel-refused': [502, 'The service of a channel refused the message; it says why.'],
  'channel-unavailable': [502, 'The service of a channel does not answer, or asks to wait.'],
  'address-forbidden': [400, 'A message would go to an address that nothing is sent to.'],
  'delivery-not-found': [404, 'No delivery has this id.'],
  'delivery-not-failed': [409, 'Only a delivery that has failed can be sent again.'],
  'channel-not-found': [404, 'No channel has this name.'],
  'no-forward-secret': [409, 'A webhook is to be signed, and no secret is configured.'],
  'no-notifier': [500, 'This machine has no notify-send, or it failed.']
})
