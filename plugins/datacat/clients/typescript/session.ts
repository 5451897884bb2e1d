import { batchOf, sessionPath, type Item } from './batch.ts'
import { createCounters, type Counters, type Stats } from './counters.ts'
import type { Delivery } from './delivery.ts'
import { DatacatError } from './errors.ts'
import { createHeartbeat, type HeartbeatLimits, type HeartbeatOptions } from './heartbeat.ts'
import {
  eventItem,
  exceptionItem,
  histogramItem,
  metricItem,
  stateItem,
  type AnyMetricOptions,
  type EventOptions,
  type ExceptionOptions,
  type HistogramOptions,
  type MetricOptions,
  type TimerOptions
} from './items.ts'
import { queryText } from './query.ts'
import { checkSize } from './size.ts'
import type { Transport } from './transport.ts'
import {
  timeText,
  type CallOptions,
  type Details,
  type EventRecord,
  type Json,
  type Level,
  type Moment,
  type Page,
  type PointRecord,
  type SessionStatus,
  type StateRecord
} from './wire.ts'

interface PageOptions extends CallOptions {
  readonly after?: number | undefined
  readonly limit?: number | undefined
}

/**
 * One run of an application. Buffered writes resolve at once and never reject; unbuffered ones
 * resolve when the server or the disk has them, and may overtake each other unless awaited.
 */
export interface Session {
  readonly id: string
  /** Merges a patch into the state; objects are merged, everything else replaces. */
  updateState(patch: Json, options?: CallOptions & { readonly timestamp?: Moment }): Promise<void>
  logEvent(name: string, data?: Json | null, options?: EventOptions & CallOptions): Promise<void>
  /** An event `exception` with the stack of anything thrown. */
  logException(thrown: unknown, options?: ExceptionOptions & CallOptions): Promise<void>
  logMetric(name: string, value: number, options?: AnyMetricOptions & CallOptions): Promise<void>
  logGauge(name: string, value: number, options?: MetricOptions & CallOptions): Promise<void>
  /** `increment` is what came on top since the last report. */
  logCounter(name: string, increment?: number, options?: MetricOptions & CallOptions): Promise<void>
  /** The distribution of samples, in buckets. */
  logHistogram(
    name: string,
    samples: number | readonly number[],
    options?: HistogramOptions & CallOptions
  ): Promise<void>
  /** A duration in seconds, unless `unit` says otherwise. */
  logTimer(name: string, duration: number, options?: TimerOptions & CallOptions): Promise<void>
  /** Runs a function and logs how long it took, also when it throws; answers what it answers. */
  time<T>(
    name: string,
    work: () => T | Promise<T>,
    options?: MetricOptions & CallOptions
  ): Promise<T>
  /** One beat now; answers what the server makes of the session, where it says so. Rejects with DatacatError. */
  heartbeat(options?: HeartbeatLimits & CallOptions): Promise<SessionStatus | undefined>
  /** Announces a pause: until the next beat the server detects nothing. Ends startHeartbeat. */
  suspend(options?: CallOptions): Promise<SessionStatus | undefined>
  /** Beats in the background; returns what ends it. A blocked event loop does not beat, so the server sees it hang. */
  startHeartbeat(options?: HeartbeatOptions): () => void
  /** Ends the session after everything written before; rejects when that is in memory only. */
  end(options?: CallOptions): Promise<void>
  details(options?: CallOptions): Promise<Details>
  events(
    options?: PageOptions & { readonly name?: string; readonly level?: Level }
  ): Promise<Page & { readonly events: readonly EventRecord[] }>
  points(
    name: string,
    options?: PageOptions
  ): Promise<Page & { readonly points: readonly PointRecord[] }>
  states(options?: PageOptions): Promise<Page & { readonly states: readonly StateRecord[] }>
  /** The state as it was at a moment. */
  stateAt(at: Moment, options?: CallOptions): Promise<Json>
  /**
   * Resolves when everything written is with the server or on disk; rejects with DatacatError when
   * some is in memory only.
   */
  flush(options?: CallOptions): Promise<void>
  /** Ends the heartbeat and flushes; the session stays open on the server. */
  close(options?: CallOptions): Promise<void>
  stats(): Stats
}

export interface SessionParts {
  readonly transport: Transport
  readonly delivery: Delivery
  readonly counters: Counters
  readonly buffered: boolean
  readonly beating: Set<() => void>
  readonly onError: (error: unknown) => void
}

export function openSession(id: string, parts: SessionParts): Session {
  const { transport, delivery, onError } = parts
  const counters = createCounters(parts.counters)
  const heartbeat = createHeartbeat(parts, id)
  const write = writer(id, parts, counters)
  const read = <T>(
    rest: string,
    query: Parameters<typeof queryText>[0],
    signal?: AbortSignal
  ): Promise<T> => transport.send<T>('GET', sessionPath(id, rest) + queryText(query), { signal })
  const metric = (
    name: string,
    value: number,
    options: AnyMetricOptions & CallOptions
  ): Promise<void> => write('metrics', () => metricItem(name, value, options), options)
  const flush: Session['flush'] = options => delivery.flush(options?.signal)

  return {
    id,
    updateState: (patch, options = {}) =>
      write('states', () => stateItem(patch, options.timestamp), options),
    logEvent: (name, data = null, options = {}) =>
      write('events', () => eventItem(name, data, options), options),
    logException: (thrown, options = {}) =>
      write('events', () => exceptionItem(thrown, options), options),
    logMetric: (name, value, options = {}) => metric(name, value, options),
    logGauge: (name, value, options = {}) => metric(name, value, { ...options, type: 'gauge' }),
    logCounter: (name, increment = 1, options = {}) =>
      metric(name, increment, { ...options, type: 'counter' }),
    logHistogram: (name, samples, options = {}) =>
      write(
        'metrics',
        () => histogramItem(name, typeof samples === 'number' ? [samples] : samples, options),
        options
      ),
    logTimer: (name, duration, options = {}) =>
      metric(name, duration, { unit: 's', ...options, type: 'timer' }),
    async time(name, work, options = {}) {
      const started = performance.now()
      try {
        return await work()
      } finally {
        await metric(name, (performance.now() - started) / 1000, {
          ...options,
          unit: 's',
          type: 'timer',
          count: 1
        }).catch(onError)
      }
    },
    heartbeat: options => heartbeat.beat(options),
    suspend(options) {
      heartbeat.stop()
      return heartbeat.suspend(options)
    },
    startHeartbeat: options => heartbeat.start(options),
    async end(options = {}) {
      heartbeat.stop()
      await write('end', () => '', options)
      await flush(options)
    },
    details: ({ signal } = {}) => read('', {}, signal),
    events: ({ signal, ...query } = {}) => read('/events', query, signal),
    points: (name, { signal, ...query } = {}) => read('/points', { name, ...query }, signal),
    states: ({ signal, ...query } = {}) => read('/states', query, signal),
    stateAt: async (at, { signal } = {}) =>
      (await read<{ state: Json }>('/state', { at: timeText(at) }, signal)).state,
    flush,
    async close(options) {
      heartbeat.stop()
      await flush(options)
    },
    stats: counters.read
  }
}

/** How this client writes: into the queue, where what cannot be written is counted, or at once, where it rejects. */
function writer(id: string, { delivery, buffered, onError }: SessionParts, counters: Counters) {
  return async (kind: Item['kind'], text: () => string, { signal }: CallOptions): Promise<void> => {
    let item: Item
    try {
      item = { kind, text: text(), counters }
      checkSize(item.text)
    } catch (error) {
      counters.add('logged', 1)
      counters.add('rejected', 1)
      if (!buffered) throw error
      return onError(error)
    }
    if (!buffered)
      return delivery.submit(batchOf(id, [item]), 1, counters, { ordered: true, signal })
    if (delivery.isClosed()) onError(new DatacatError('closed', 'the client is closed'))
    delivery.enqueue(id, item)
  }
}
