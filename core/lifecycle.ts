import { bootError } from './errors.ts'
import type { Logger } from './log.ts'
import { secondMs } from './time.ts'

export type State = 'starting' | 'ready' | 'closing'
type Step = () => Promise<unknown> | unknown

const closeMs = 15_000

/** What one application has opened, and whether it still takes work. */
export function createLifecycle(log: Logger) {
  const opened: { readonly name: string; readonly close: Step }[] = []
  let state: State = 'starting'
  let closing: Promise<void> | undefined
  return {
    state: (): State => state,
    ready(): void {
      state = 'ready'
    },
    opens(name: string, close: Step): void {
      opened.push({ name, close })
    },
    /** What was opened last is closed first; one step that hangs or fails does not keep the others open. */
    close: (): Promise<void> =>
      (closing ??= ((state = 'closing'), closeAll([...opened].reverse(), log)))
  }
}
export type Lifecycle = ReturnType<typeof createLifecycle>

async function closeAll(
  steps: readonly { readonly name: string; readonly close: Step }[],
  log: Logger
): Promise<void> {
  for (const { name, close } of steps) {
    const late = `closing '${name}' took over ${closeMs / secondMs} s`
    await within(Promise.resolve().then(close), closeMs, late).catch((error: unknown) =>
      log.error({ error }, `closing '${name}' failed`)
    )
  }
}

/** The work's result, or a boot error with this sentence after `timeoutMs`; the work itself goes on. */
export async function within<T>(work: Promise<T>, timeoutMs: number, sentence: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(bootError(sentence)), timeoutMs)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
