const endings = new Set<() => Promise<unknown>>()

/** Remembers how to end something this run started; returns a function that ends and forgets it. */
export function started(end: () => Promise<unknown>): () => Promise<void> {
  endings.add(end)
  return async () => {
    if (endings.delete(end)) await end()
  }
}

let stopping: Promise<void> | undefined

/** Ends everything that still runs, the newest first, so that no measurement leaves a process behind. */
export const stopEverything = (): Promise<void> => (stopping ??= stopAll())

async function stopAll(): Promise<void> {
  for (const end of [...endings].reverse()) {
    endings.delete(end)
    await end().catch((error: unknown) => console.error(error))
  }
}
