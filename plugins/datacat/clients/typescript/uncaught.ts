import type { Session } from './session.ts'

export interface UncaughtOptions {
  /** How long the process waits for its last words, 2,000 ms unless said. */
  readonly timeoutMs?: number | undefined
}

/** What Node and a page have; each has only its own. */
interface NodeProcess {
  readonly pid: number
  on(event: string, listener: (...given: unknown[]) => void): unknown
  off(event: string, listener: (...given: unknown[]) => void): unknown
  listenerCount(event: string): number
  kill(pid: number, signal: string): unknown
  exit(code: number): unknown
}
interface Page {
  addEventListener(event: string, listener: (event: Event) => void): void
  removeEventListener(event: string, listener: (event: Event) => void): void
}

/**
 * Logs uncaught exceptions and unhandled rejections to a session, and sends what is queued before the
 * process ends by them or by SIGTERM; in a page, before it is left. Returns what ends it.
 */
export function reportUncaught(
  session: Session,
  { timeoutMs = 2_000 }: UncaughtOptions = {}
): () => void {
  const world = globalThis as Partial<Page> as Page & { readonly process?: NodeProcess }
  const lastWords = (): Promise<void> =>
    session.flush({ signal: AbortSignal.timeout(timeoutMs) }).catch(() => {})
  return world.process && !('document' in world)
    ? inProcess(world.process, session, lastWords)
    : inPage(world, session, lastWords)
}

function inProcess(
  process: NodeProcess,
  session: Session,
  lastWords: () => Promise<void>
): () => void {
  async function fail(thrown: unknown): Promise<void> {
    console.error(thrown)
    void session.logException(thrown, { level: 'critical' })
    await lastWords()
    process.exit(1)
  }
  async function terminate(): Promise<void> {
    await lastWords()
    stop()
    // The program's own handler decides when it ends; without one the signal does.
    if (process.listenerCount('SIGTERM') === 0) process.kill(process.pid, 'SIGTERM')
  }
  const listeners = [
    ['uncaughtException', (thrown: unknown) => void fail(thrown)],
    ['unhandledRejection', (thrown: unknown) => void fail(thrown)],
    ['SIGTERM', () => void terminate()]
  ] as const
  const stop = (): void => {
    for (const [event, listener] of listeners) process.off(event, listener)
  }
  for (const [event, listener] of listeners) process.on(event, listener)
  return stop
}

function inPage(world: Page, session: Session, lastWords: () => Promise<void>): () => void {
  const fail = (event: Event): void => {
    const { error, reason, message } = event as {
      error?: unknown
      reason?: unknown
      message?: unknown
    }
    void session.logException(error ?? reason ?? message, { level: 'critical' })
  }
  const listeners = [
    ['error', fail],
    ['unhandledrejection', fail],
    ['pagehide', () => void lastWords()]
  ] as const
  for (const [event, listener] of listeners) world.addEventListener(event, listener)
  return () => {
    for (const [event, listener] of listeners) world.removeEventListener(event, listener)
  }
}
