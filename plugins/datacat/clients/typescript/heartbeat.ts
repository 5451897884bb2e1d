import { sessionPath } from './batch.ts'
import type { Transport } from './transport.ts'
import type { CallOptions, SessionStatus } from './wire.ts'

/** After how many seconds without a beat the server calls a session hung, and crashed. */
export interface HeartbeatLimits {
  readonly hungAfterSeconds?: number | undefined
  readonly crashedAfterSeconds?: number | undefined
}
export interface HeartbeatOptions extends HeartbeatLimits {
  /** Between two beats; a third of the shorter limit unless said. */
  readonly intervalMs?: number | undefined
}
export interface Heartbeat {
  /** One beat now; answers what the server makes of the session, where it says so. */
  beat(limits?: HeartbeatLimits & CallOptions): Promise<SessionStatus | undefined>
  suspend(options?: CallOptions): Promise<SessionStatus | undefined>
  /** Beats from now on; returns what ends it. A second start takes the place of the first. */
  start(options?: HeartbeatOptions): () => void
  stop(): void
}

const usualHungAfterSeconds = 60
interface HeartbeatAnswer {
  readonly session_status?: SessionStatus
}

/** `beating`: what ends every heartbeat that runs, so that closing the client can. */
export interface HeartbeatParts {
  readonly transport: Transport
  readonly beating: Set<() => void>
  readonly onError: (error: unknown) => void
}

export function createHeartbeat(
  { transport, beating, onError }: HeartbeatParts,
  sessionId: string
): Heartbeat {
  let stop = (): void => {}

  // A late beat is worth nothing, so it is tried twice and never kept.
  const send = async (
    body: object,
    signal: AbortSignal | undefined
  ): Promise<SessionStatus | undefined> =>
    (
      await transport.send<HeartbeatAnswer>('POST', sessionPath(sessionId, '/heartbeat'), {
        body: JSON.stringify(body),
        signal,
        retries: 1,
        isAnswer: answer => answer['status'] === 'ok'
      })
    ).session_status
  const beat: Heartbeat['beat'] = ({ hungAfterSeconds, crashedAfterSeconds, signal } = {}) =>
    send(
      { hung_after_seconds: hungAfterSeconds, crashed_after_seconds: crashedAfterSeconds },
      signal
    )

  const start = (options: HeartbeatOptions = {}): (() => void) => {
    stop()
    const { hungAfterSeconds = usualHungAfterSeconds, crashedAfterSeconds = Infinity } = options
    const intervalMs =
      options.intervalMs ??
      Math.max(1_000, (Math.min(hungAfterSeconds, crashedAfterSeconds) * 1000) / 3)
    const ended = new AbortController()
    let [known, busy] = [false, false]
    const again = async (): Promise<void> => {
      if (busy) return
      busy = true
      try {
        await beat({ ...(known ? {} : options), signal: ended.signal })
        known = true
      } catch (error) {
        if (!ended.signal.aborted) onError(error)
      } finally {
        busy = false
      }
    }
    const timer = setInterval(() => {
      void again()
    }, intervalMs)
    ;(timer as { unref?(): void }).unref?.()
    void again()
    const own = (): void => {
      clearInterval(timer)
      ended.abort()
      beating.delete(own)
    }
    beating.add(own)
    stop = own
    return own
  }

  return {
    beat,
    suspend: ({ signal } = {}) => send({ suspended: true }, signal),
    start,
    stop: () => stop()
  }
}
