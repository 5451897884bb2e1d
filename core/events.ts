import type { Static, TSchema } from 'typebox'

/** A fact in the past tense that plugins can subscribe to; delivered as one durable job per subscriber. */
export interface EventType<S extends TSchema> {
  readonly id: string
  readonly payload: S
}

/** `id` is `<plugin>.<past-tense>`, e.g. `webhooks.alert-received`. */
export const defineEvent = <S extends TSchema>(id: string, payload: S): EventType<S> => ({
  id,
  payload
})

export type EventPayload<E> = E extends EventType<infer S> ? Static<S> : never
