/** A value read at most once per `keepMs`, counted from the start of the read; a failed read is not kept. */
export function keepFresh<T>(
  read: () => Promise<T>,
  keepMs: number,
  now: () => number = () => performance.now()
) {
  let entry: { readonly value: Promise<T>; readonly until: number } | undefined
  return {
    get(): Promise<T> {
      if (entry && now() < entry.until) return entry.value
      const made = (entry = { value: read(), until: now() + keepMs })
      made.value.catch(() => {
        if (entry === made) entry = undefined
      })
      return made.value
    },
    forget(): void {
      entry = undefined
    }
  }
}
