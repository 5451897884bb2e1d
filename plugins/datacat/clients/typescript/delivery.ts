import { batchOf, halve, takeBatch, type Item } from './batch.ts'
import type { Counters } from './counters.ts'
import { DatacatError, isKept } from './errors.ts'
import { createOutbox, type Outbox } from './outbox.ts'
import { checkSize } from './size.ts'
import { backoff, unless, type Transport } from './transport.ts'
import type { Json } from './wire.ts'
import type { WaitingRequest } from './write-ahead.ts'

export interface DeliveryOptions {
  readonly transport: Transport
  readonly counters: Counters
  readonly flushMs: number
  readonly flushItems: number
  readonly maxQueued: number
  readonly offline: { readonly folder: string; readonly maxBytes: number } | undefined
  /** Told of everything lost and of every failure in the background; it must not throw. */
  readonly onError: (error: unknown) => void
}

/** Everything written on its way to the server: in order, each once, a batch at a time. */
export interface Delivery {
  /** Queues an item; counts it as dropped when there is no room. */
  enqueue(sessionId: string, item: Item): void
  /**
   * Sends one request now; on disk it waits when the server cannot be reached. `ordered` = after
   * everything that waits.
   */
  submit(
    request: WaitingRequest,
    items: number,
    counters: Counters,
    options: { ordered: boolean; signal?: AbortSignal | undefined }
  ): Promise<void>
  /** Resolves when all that was written is with the server or on disk; rejects when some is in memory only. */
  flush(signal?: AbortSignal): Promise<void>
  close(signal?: AbortSignal): Promise<void>
  isClosed(): boolean
  storedBytes(): number
}

const longestWaitMs = 30_000

export function createDelivery(options: DeliveryOptions): Delivery {
  const { transport, counters, flushMs, flushItems, maxQueued, onError } = options
  const pending = new Map<string, Item[]>()
  const outbox = createOutbox(options)
  const ended = new AbortController()
  const timer = createTimer()
  let [waiting, failures, notBefore, closed] = [0, 0, 0, false]
  let cutting = Promise.resolve()
  let pumping: Promise<unknown> | undefined

  const cut = (): Promise<void> =>
    (cutting = cutting.then(async () => {
      for (const [sessionId, items] of pending) {
        pending.delete(sessionId)
        waiting -= items.length
        while (items.length > 0) {
          const batch = takeBatch(items)
          await outbox.append({
            ...batchOf(sessionId, batch),
            items: batch.length,
            counters: batch[0]?.counters ?? counters
          })
        }
      }
    }))
  const pump = (): Promise<unknown> =>
    (pumping ??= sendAll(outbox, transport, ended.signal, onError)
      .then(succeed, fail)
      .finally(() => {
        pumping = undefined
      }))
  const succeed = (): undefined => {
    ;[failures, notBefore] = [0, 0]
    // What was added between the last look and now.
    if (outbox.length() > 0 && !closed) timer.set(0, run, true)
  }
  const fail = (error: unknown): unknown => {
    failures += 1
    const wait = Math.max(
      (error as DatacatError).retryAfterMs ?? 0,
      backoff(failures, flushMs, longestWaitMs)
    )
    notBefore = Date.now() + wait
    // A server that is away does not keep the application from ending.
    if (!closed) timer.set(wait, run, false)
    if (!ended.signal.aborted) onError(error)
    return error
  }
  const run = (): void => {
    void cut().then(() =>
      Date.now() < notBefore ? timer.set(notBefore - Date.now(), run, false) : pump()
    )
  }

  const enqueue = (sessionId: string, item: Item): void => {
    item.counters.add('logged', 1)
    if (closed || counters.read().queued >= maxQueued) return item.counters.add('dropped', 1)
    item.counters.add('queued', 1)
    const items = pending.get(sessionId)
    if (items) items.push(item)
    else pending.set(sessionId, [item])
    waiting += 1
    timer.set(waiting >= flushItems ? 0 : flushMs, run, true)
  }

  const flush = async (signal?: AbortSignal): Promise<void> => {
    await unless(signal, cut())
    do {
      const error = await unless(signal, pump())
      if (error && outbox.inMemory() > 0) throw error
      if (error) return
    } while (outbox.length() > 0)
  }

  const submit: Delivery['submit'] = async (request, items, own, { ordered, signal }) => {
    if (closed) throw new DatacatError('closed', 'the client is closed')
    checkSize(request.body)
    own.add('logged', items)
    own.add('queued', items)
    if (ordered) await outbox.loaded()
    if (ordered && outbox.isOffline() && outbox.length() > 0) {
      await outbox.append({ ...request, items, counters: own })
      return run()
    }
    try {
      await send(transport, request, signal)
      own.move('queued', 'delivered', items)
    } catch (error) {
      if (isKept(error) && (await outbox.store({ ...request, items, counters: own }))) {
        fail(error)
        return
      }
      own.move('queued', isKept(error) || signal?.aborted ? 'dropped' : 'rejected', items)
      throw error
    }
  }

  if (options.offline) timer.set(0, run, false)
  return {
    enqueue,
    submit,
    flush,
    isClosed: () => closed,
    storedBytes: outbox.bytes,
    async close(signal) {
      closed = true
      timer.clear()
      try {
        await flush(signal)
      } finally {
        ended.abort()
      }
    }
  }
}

/** Sends what waits, in order, until nothing does; rejects with the failure that stopped it. */
async function sendAll(
  outbox: Outbox,
  transport: Transport,
  signal: AbortSignal,
  onError: (error: unknown) => void
): Promise<void> {
  for (let entry = await outbox.first(); entry; entry = await outbox.first()) {
    const rejected = await sendOrHalve(transport, entry, entry.items, signal, onError)
    await outbox.settle(entry, rejected)
  }
}

/** Sends a batch; of one that is refused, all but the refused items. Answers how many those are. */
async function sendOrHalve(
  transport: Transport,
  request: WaitingRequest,
  items: number,
  signal: AbortSignal,
  onError: (error: unknown) => void
): Promise<number> {
  try {
    await send(transport, request, signal)
  } catch (error) {
    if (!(error instanceof DatacatError) || isKept(error)) throw error
    const halves = error.status === 404 ? undefined : halve(request)
    if (!halves) {
      onError(error)
      return items
    }
    let rejected = 0
    for (const half of halves)
      rejected += await sendOrHalve(transport, half, half.items, signal, onError)
    return rejected
  }
  return 0
}

// A page of a network's login, or another server's health, also answers 200: only datacat's own answer lets go of data.
async function send(
  transport: Transport,
  { path, body }: WaitingRequest,
  signal: AbortSignal | undefined
): Promise<void> {
  await transport.send('POST', path, {
    body,
    signal,
    isAnswer: path.endsWith('/batch') ? isStored : isOpened
  })
}
const isStored = (answer: Json): boolean =>
  answer['status'] === 'ok' &&
  typeof answer['accepted'] === 'number' &&
  typeof answer['duplicate'] === 'boolean'
const isOpened = (answer: Json): boolean =>
  typeof answer['session_id'] === 'string' && answer['session_id'] !== ''

/** One timer that only ever comes earlier; `holds` keeps a Node process alive until then. */
function createTimer(): { set(ms: number, run: () => void, holds: boolean): void; clear(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined
  let due = Infinity
  let held = false
  const clear = (): void => {
    clearTimeout(timer)
    ;[timer, due, held] = [undefined, Infinity, false]
  }
  return {
    clear,
    set(ms, run, holds) {
      const at = Date.now() + ms
      if (timer && at >= due && (held || !holds)) return
      const next = Math.min(at, due)
      const holding = held || holds
      clear()
      ;[due, held] = [next, holding]
      timer = setTimeout(
        () => {
          clear()
          run()
        },
        Math.max(0, next - Date.now())
      )
      if (!holding) (timer as { unref?(): void }).unref?.()
    }
  }
}
