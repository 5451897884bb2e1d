import { matchesGlob } from '../search/glob.ts'
import { hash, unit } from '../world/random.ts'
import type { FaultThen } from './fault.ts'
import { schemaFaults } from './fault-bodies.ts'

/**
 * Which requests a fault hits: all conditions given must hold. `path` is a prefix, or with a `*` in it a pattern
 * of the whole path; `after` is all but the first so many; `between` is virtual time.
 */
export interface FaultMatch {
  readonly op?: string
  readonly after?: number
  readonly between?: readonly [number | string, number | string]
  readonly method?: string
  readonly path?: string
  readonly account?: string
  readonly nth?: number
  readonly every?: number
  readonly p?: number
}
export interface FaultSpec {
  readonly match?: FaultMatch
  readonly then: FaultThen
  readonly times?: number
}
/** What a fault is matched against. */
interface FaultedRequest {
  readonly method: string
  readonly path: string
  readonly account: string | undefined
  readonly op: string | undefined
  readonly now: number
}
interface Fault {
  readonly spec: FaultSpec
  /** Seeds the chance of this fault. */
  readonly seed: number
  seen: number
  fired: number
}

const types: ReadonlySet<string> = new Set([
  '429',
  '5xx',
  'timeout',
  'slow',
  'reset',
  'malformed',
  'schema',
  'partial',
  'auth',
  'consistency',
  'skew'
])

/** The faults in force; counting per fault, so that `nth` and `every` mean matching requests. */
export function createFaults(seed: number) {
  let faults: Fault[] = []
  return {
    add(value: unknown): void {
      const spec = checkedFault(value)
      faults.push({ spec, seed: hash(seed, 'fault', faults.length), seen: 0, fired: 0 })
    },
    list: () => faults.map(({ spec, seen, fired }) => ({ ...spec, seen, fired })),
    reset(): void {
      faults = []
    },
    /** The first fault that hits this request, or undefined. */
    pick(request: FaultedRequest): FaultThen | undefined {
      for (const fault of faults) {
        const { match = {}, times = Infinity, then } = fault.spec
        if (fault.fired >= times || !concerns(match, request)) continue
        fault.seen++
        if (!isTurn(match, fault)) continue
        fault.fired++
        return then
      }
      return undefined
    }
  }
}
export type Faults = ReturnType<typeof createFaults>

function checkedFault(value: unknown): FaultSpec {
  const spec = value as FaultSpec | undefined
  if (!spec || typeof spec !== 'object' || !types.has(String(spec.then?.type)))
    throw new Error(`a fault needs then.type, one of ${[...types].join(', ')}`)
  const { then, match } = spec
  if (then.type === 'schema' && !schemaFaults.some(name => name === then.body))
    throw new Error(`a schema fault needs then.body, one of ${schemaFaults.join(', ')}`)
  if (match?.between?.some(at => Number.isNaN(instant(at))))
    throw new Error('match.between needs two times')
  if (match?.path !== undefined && !/^[\w/.~%:@*-]+$/.test(match.path))
    throw new Error('match.path is the beginning of a path, or with * in it a pattern of all of it')
  return spec
}

const instant = (at: number | string): number => (typeof at === 'number' ? at : Date.parse(at))

/** Whether a fault means this request, whichever time it is. */
function concerns(match: FaultMatch, { method, path, account, op, now }: FaultedRequest): boolean {
  const { between } = match
  return (
    (match.method === undefined || match.method.toUpperCase() === method) &&
    (match.path === undefined || matchesPath(match.path, path)) &&
    (match.account === undefined || match.account === account) &&
    (match.op === undefined || match.op === op) &&
    (between === undefined || (now >= instant(between[0]) && now < instant(between[1])))
  )
}

const matchesPath = (wanted: string, path: string): boolean =>
  wanted.includes('*') ? matchesGlob(wanted, path) : path.startsWith(wanted)

/** Whether it is this request's turn among those it means. */
const isTurn = ({ nth, after, every, p }: FaultMatch, { seen, seed }: Fault): boolean =>
  (nth === undefined || seen === nth) &&
  (after === undefined || seen > after) &&
  (every === undefined || seen % every === 0) &&
  (p === undefined || unit(seed, seen) < p)
