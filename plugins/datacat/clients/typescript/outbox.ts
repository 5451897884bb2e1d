import type { Counters } from './counters.ts'
import { DatacatError } from './errors.ts'
import {
  openWriteAhead,
  type StoredRequest,
  type Unread,
  type WaitingRequest,
  type WriteAhead
} from './write-ahead.ts'

/** One request that waits its turn. */
export interface Entry extends WaitingRequest {
  readonly items: number
  readonly counters: Counters
}
interface Waiting {
  readonly items: number
  readonly counters: Counters
  readonly request?: WaitingRequest
  readonly file?: StoredRequest
}

/** Requests in the order they are sent, on disk where there is a folder and room in it, otherwise in memory. */
export interface Outbox {
  append(entry: Entry): Promise<void>
  /** As append, but only on disk; answers whether it is there. */
  store(entry: Entry): Promise<boolean>
  first(): Promise<Entry | undefined>
  /** Lets go of the first entry, once it is delivered or refused for good. */
  settle(entry: Entry, rejected: number): Promise<void>
  /** Resolves once it is known what earlier processes left. */
  loaded(): Promise<void>
  length(): number
  inMemory(): number
  bytes(): number
  isOffline(): boolean
}

export interface OutboxOptions {
  readonly counters: Counters
  readonly offline: { readonly folder: string; readonly maxBytes: number } | undefined
  readonly onError: (error: unknown) => void
}

export function createOutbox({ counters, offline, onError }: OutboxOptions): Outbox {
  const waiting: Waiting[] = []
  let folder: WriteAhead | undefined
  let appending = Promise.resolve<unknown>(undefined)

  const load = async (): Promise<void> => {
    if (!offline) return
    try {
      folder = await openWriteAhead(offline.folder, offline.maxBytes)
      for (const file of await folder.scan()) {
        counters.add('recovered', file.items)
        counters.add('stored', file.items)
        waiting.push({ items: file.items, counters, file })
      }
    } catch (error) {
      onError(error)
    }
  }
  let loading: Promise<void> | undefined
  const loaded = (): Promise<void> => (loading ??= load())

  const write = async ({ path, body, items }: Entry): Promise<StoredRequest | undefined> => {
    await loaded()
    try {
      return await folder?.write({ path, body }, items)
    } catch (error) {
      onError(error)
      return undefined
    }
  }
  // One at a time, so that the order of the calls is the order of the files.
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = appending.then(work)
    appending = turn.catch(() => {})
    return turn
  }
  const add = (entry: Entry, memory: boolean): Promise<boolean> =>
    inTurn(async () => {
      const { items, counters: own, path, body } = entry
      const file = await write(entry)
      if (file) own.move('queued', 'stored', items)
      if (file) waiting.push({ items, counters: own, file })
      else if (memory) waiting.push({ items, counters: own, request: { path, body } })
      return file !== undefined
    })

  const read = async (entry: Waiting): Promise<Entry | Unread> => {
    const request = entry.request ?? (entry.file && (await folder?.read(entry.file))) ?? 'gone'
    return typeof request === 'string'
      ? request
      : { ...request, items: entry.items, counters: entry.counters }
  }
  const first = async (): Promise<Entry | undefined> => {
    await loaded()
    for (let entry = waiting[0]; entry; entry = waiting[0]) {
      const request = await read(entry)
      if (typeof request !== 'string') return request
      waiting.shift()
      // Only a process that delivered it, or was refused for good, takes a file away.
      entry.counters.move('stored', request === 'gone' ? 'delivered' : 'dropped', entry.items)
      if (request === 'gone' || !entry.file) continue
      const fate = request === 'damaged' ? 'is damaged and was set aside' : 'cannot be read'
      onError(new DatacatError('invalid', `the offline file ${entry.file.name} ${fate}`))
      if (request === 'damaged') await folder?.setAside(entry.file).catch(onError)
    }
    return undefined
  }

  const settle = async ({ counters: own, items }: Entry, rejected: number): Promise<void> => {
    const entry = waiting.shift()
    const from = entry?.file ? 'stored' : 'queued'
    own.move(from, 'rejected', rejected)
    own.move(from, 'delivered', items - rejected)
    if (entry?.file) await folder?.remove(entry.file).catch(onError)
  }

  return {
    append: async entry => {
      await add(entry, true)
    },
    store: entry => (offline ? add(entry, false) : Promise.resolve(false)),
    first,
    settle,
    loaded,
    length: () => waiting.length,
    inMemory: () => waiting.reduce((sum, entry) => sum + (entry.file ? 0 : 1), 0),
    bytes: () => folder?.bytes() ?? 0,
    isOffline: () => offline !== undefined
  }
}
