/** One request that waits; `path` is below the base URL. */
export interface WaitingRequest {
  readonly path: string
  readonly body: string
}
/** A file in the folder. */
export interface StoredRequest {
  readonly name: string
  readonly bytes: number
  readonly items: number
}

/** Requests on disk, one file each, in the order of their names; any number of processes may share a folder. */
export interface WriteAhead {
  /** What earlier processes left, the oldest first. */
  scan(): Promise<StoredRequest[]>
  /** undefined when the folder has no room. */
  write(request: WaitingRequest, items: number): Promise<StoredRequest | undefined>
  /**
   * `gone` when somebody else has sent it, `damaged` when the file is not whole, `unreadable` when it
   * cannot be read.
   */
  read(stored: StoredRequest): Promise<WaitingRequest | Unread>
  /** Puts a damaged file out of the way, for whoever wants to see it. */
  setAside(stored: StoredRequest): Promise<void>
  remove(stored: StoredRequest): Promise<void>
  bytes(): number
}

export type Unread = 'gone' | 'damaged' | 'unreadable'

// <time>-<process>-<items>.json: what sorts by name sorts by time.
const fileName = /^(\d{15})-[0-9a-f]{8}-(\d+)\.json$/
const unfinished = /^\.[0-9a-f]{8}-\d+\.tmp$/
const abandonedMs = 60_000

/** Opens a folder, and makes it when it is missing; rejects where there is no file system, as in a browser. */
export async function openWriteAhead(folder: string, maxBytes: number): Promise<WriteAhead> {
  const fs = await import('node:fs/promises')
  await fs.mkdir(folder, { recursive: true, mode: 0o700 })
  const own = Array.from(crypto.getRandomValues(new Uint8Array(4)), byte =>
    byte.toString(16).padStart(2, '0')
  ).join('')
  const at = (name: string): string => `${folder}/${name}`
  const sizes = new Map<string, number>()
  let [latest, total] = [0, 0]
  const forget = (name: string): void => {
    total -= sizes.get(name) ?? 0
    sizes.delete(name)
  }
  const keep = (name: string, bytes: number): void => {
    forget(name)
    sizes.set(name, bytes)
    total += bytes
  }

  const scan = async (): Promise<StoredRequest[]> => {
    const found: StoredRequest[] = []
    for (const name of (await fs.readdir(folder)).sort()) {
      const [, time, items] = fileName.exec(name) ?? []
      const stat =
        time !== undefined || unfinished.test(name)
          ? await fs.stat(at(name)).catch(() => undefined)
          : undefined
      if (!stat) continue
      // A short while ago it may be a write of somebody who is still at it.
      if (time === undefined) {
        if (Date.now() - stat.mtimeMs > abandonedMs) await fs.rm(at(name), { force: true })
        continue
      }
      latest = Math.max(latest, Number(time))
      keep(name, stat.size)
      found.push({ name, bytes: stat.size, items: Number(items) })
    }
    return found
  }

  /** Room that another process made. */
  const forgetSent = async (): Promise<void> => {
    const present = new Set(await fs.readdir(folder))
    for (const name of sizes.keys()) if (!present.has(name)) forget(name)
  }

  const write = async (
    request: WaitingRequest,
    items: number
  ): Promise<StoredRequest | undefined> => {
    const text = `{"path":${JSON.stringify(request.path)},"body":${request.body}}`
    const bytes = new TextEncoder().encode(text).length
    if (total + bytes > maxBytes) await forgetSent()
    if (total + bytes > maxBytes) return undefined
    // Later than all that is there, even when the clock was set back.
    latest = Math.max(latest + 1, Date.now())
    const name = `${String(latest).padStart(15, '0')}-${own}-${items}.json`
    const partial = at(`.${own}-${latest}.tmp`)
    try {
      const file = await fs.open(partial, 'wx', 0o600)
      try {
        await file.writeFile(text)
        await file.sync()
      } finally {
        await file.close()
      }
      await fs.rename(partial, at(name))
    } catch (error) {
      await fs.rm(partial, { force: true }).catch(() => {})
      throw error
    }
    keep(name, bytes)
    return { name, bytes, items }
  }

  const read = async ({ name }: StoredRequest): Promise<WaitingRequest | Unread> => {
    try {
      return parseRequest(await fs.readFile(at(name), 'utf8')) ?? 'damaged'
    } catch (error) {
      const { code = '' } = error as { code?: string }
      if (code === 'EMFILE' || code === 'ENFILE') throw error
      forget(name)
      return code === 'ENOENT' ? 'gone' : 'unreadable'
    }
  }

  return {
    scan,
    write,
    read,
    bytes: () => total,
    async setAside({ name }) {
      await fs.rename(at(name), at(`${name}.broken`))
      forget(name)
    },
    async remove({ name }) {
      await fs.rm(at(name), { force: true })
      forget(name)
    }
  }
}

function parseRequest(text: string): WaitingRequest | undefined {
  try {
    const { path, body } = JSON.parse(text) as { path?: unknown; body?: unknown }
    const whole =
      typeof path === 'string' &&
      path.startsWith('/v1/datacat/sessions') &&
      typeof body === 'object' &&
      body !== null
    return whole ? { path, body: JSON.stringify(body) } : undefined
  } catch {
    return undefined
  }
}
