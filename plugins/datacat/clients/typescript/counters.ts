/** What became of every item: logged + recovered = delivered + dropped + rejected + queued + stored. */
export interface Stats {
  /** Items the application handed over. */
  readonly logged: number
  /** Items found on disk, left by an earlier process. */
  readonly recovered: number
  readonly delivered: number
  /** Lost because the queue was full, a file was damaged or the client was closed. */
  readonly dropped: number
  /** Refused for good, by the server or before they were sent. */
  readonly rejected: number
  /** In memory. */
  readonly queued: number
  /** On disk. */
  readonly stored: number
}
/** The bytes of the offline folder, beside the items. */
export interface ClientStats extends Stats {
  readonly storedBytes: number
}

export interface Counters {
  add(field: keyof Stats, items: number): void
  move(
    from: 'queued' | 'stored',
    to: 'delivered' | 'dropped' | 'rejected' | 'stored',
    items: number
  ): void
  read(): Stats
}

/** Counts items; what one session counts its client counts too. */
export function createCounters(parent?: Counters): Counters {
  const values = {
    logged: 0,
    recovered: 0,
    delivered: 0,
    dropped: 0,
    rejected: 0,
    queued: 0,
    stored: 0
  }
  const add: Counters['add'] = (field, items) => {
    values[field] += items
    parent?.add(field, items)
  }
  return {
    add,
    move(from, to, items) {
      add(from, -items)
      add(to, items)
    },
    read: () => ({ ...values })
  }
}
