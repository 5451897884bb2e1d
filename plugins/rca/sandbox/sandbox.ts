import { errorText, RayneError } from '../../../core/index.ts'
import { rcaErrors } from '../contract.ts'
import { createPool, type Call, type Outcome, type Pool } from './pool.ts'
import { levels, startChild, ways, type Level, type Way } from './start-child.ts'

export interface SandboxOptions {
  /** Below this level nothing is run. */
  readonly minimum: Level
  readonly maxChildren?: number
  /** Calls that may wait for a process. */
  readonly maxWaiting?: number
  readonly ways?: readonly Way[]
}

/** What the machine allows: the level programs run at, or why none is good enough. */
export type Standing =
  | { readonly level: Level; readonly refused?: undefined }
  | { readonly level?: undefined; readonly refused: string }

const idleMs = 300_000

/** Runs programs nobody has to trust. What the machine allows is tried when it is first asked for, and once. */
export function openSandbox({
  minimum,
  maxChildren = 4,
  maxWaiting = 100,
  ways: tried = ways()
}: SandboxOptions) {
  let opening: Promise<Pool | string> | undefined
  let closed = false
  const open = (): Promise<Pool | string> =>
    (opening ??= choose(tried, minimum).then(found => {
      if (typeof found === 'string') return found
      const pool = createPool({ way: found, maxChildren, maxWaiting, idleMs })
      if (closed) pool.close()
      return pool
    }))
  return {
    async standing(): Promise<Standing> {
      const pool = await open()
      return typeof pool === 'string' ? { refused: pool } : { level: pool.level }
    },
    /** Throws `sandbox-unavailable` when the machine allows no level that is good enough. */
    async run(call: Call): Promise<Outcome> {
      const pool = await open()
      if (typeof pool !== 'string') return pool.run(call)
      throw new RayneError({ code: rcaErrors['sandbox-unavailable'], message: pool })
    },
    /** Process ids of its children. */
    async pids(): Promise<number[]> {
      const pool = await opening
      return pool === undefined || typeof pool === 'string' ? [] : pool.pids()
    },
    async close(): Promise<void> {
      closed = true
      const pool = await opening
      if (pool !== undefined && typeof pool !== 'string') pool.close()
    }
  }
}
export type Sandbox = ReturnType<typeof openSandbox>

/** The strongest way that works here; a sentence when it is weaker than the minimum. */
async function choose(tried: readonly Way[], minimum: Level): Promise<Way | string> {
  const reasons: string[] = []
  for (const way of tried) {
    if (levels.indexOf(way.level) > levels.indexOf(minimum)) continue
    try {
      const child = await startChild(way, { onMessage: () => {}, onEnd: () => {} })
      child.kill()
      return way
    } catch (error) {
      reasons.push(`${way.level}: ${errorText(error)}`)
    }
  }
  const weaker = minimum === 'permission' ? '' : '; RAYNE_RCA_SANDBOX=permission takes less'
  return `no sandbox of level '${minimum}' can be had here (${reasons.join('; ') || 'no way to try'})${weaker}`
}
