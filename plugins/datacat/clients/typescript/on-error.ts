/** Tells of what happens in the background, by default with console.warn; what watches breaks nothing. */
export function guarded(onError: ((error: unknown) => void) | undefined): (error: unknown) => void {
  let last = ''
  const warn = (error: unknown): void => {
    const text = error instanceof Error ? error.message : String(error)
    if (text !== last) console.warn(`datacat: ${text}`)
    last = text
  }
  return error => {
    try {
      ;(onError ?? warn)(error)
    } catch {
      /* what watches must not break what it watches */
    }
  }
}
