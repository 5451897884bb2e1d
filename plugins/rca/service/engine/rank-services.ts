import { createCallGraph, inferCalls, type Call } from './infer-calls.ts'
import { measureExcess, type Excess, type ServiceWindow, type Trouble } from './measure-excess.ts'
import { sum } from './statistics.ts'

export interface RankServicesInput {
  /** The service that alerts. */
  readonly target: string
  readonly trouble: Trouble
  /** When the trouble began, epoch s. */
  readonly onset: number
  readonly window: ServiceWindow
  /** Earlier buckets of the same series, for what is usual; they need not touch the window. */
  readonly history?: ServiceWindow
  readonly calls: readonly Call[]
}
export interface RankedService {
  readonly name: string
  /** The part of the target's extra time or failures that begins in this service, 0 to 1. */
  readonly share: number
  /** Extra seconds or failed requests that begin here; shared dependencies may have more than the target's. */
  readonly own: number
  /** The sentence to print. */
  readonly text: string
}
export interface ServiceRanking {
  /** Extra seconds of time or extra failed requests of the target after the onset. */
  readonly targetExcess: number
  /** Every service with a part in the trouble, the largest first; ties by name. */
  readonly ranked: readonly RankedService[]
  /** Whether the first has more than half of the trouble, and clearly more than the second. */
  readonly standsOut: boolean
  /** Calls that the graph lacked and the telemetry shows. */
  readonly inferred: readonly Call[]
}

// An inferred call may point the wrong way: it takes most, never all, of what it explains from the caller.
const trustInInferred = 0.9
// A view from outside contains the way there and the waiting, which its server does not answer for.
const trustInClientSide = 0.5
// Below it a share is rounding, not trouble.
const leastShare = 1e-6

/**
 * Where the alerting service's extra time or failures begin, by conservation over the call graph:
 * what a service loses and its callees do not lose is its own. Shares are of the target's loss,
 * bucket by bucket, so what happens at another time or is larger than the trouble itself explains
 * nothing more than it.
 */
export function rankServices(input: RankServicesInput): ServiceRanking {
  const { target, trouble, onset, window, history } = input
  const excess = measureExcess(window, onset, trouble, history)
  const ofTarget = excess.get(target)
  if (!ofTarget)
    throw new RangeError(
      `the alerting service '${target}' is not among the services measured: ${[...excess.keys()].join(', ')}`
    )
  const total = sum(ofTarget)
  const inferred = inferCalls({ target, known: input.calls, excess, window, history })
  const own = createOwnExcess(excess, input.calls, inferred)
  const ranked = window.services
    .map(({ name, clientSide }) => {
      const trust = clientSide ? trustInClientSide : 1
      const beginning = own(name)
      const within = sum(beginning.map((figure, row) => Math.min(figure, ofTarget[row] ?? 0)))
      const share = total > 0 ? (trust * within) / total : 0
      return { name, share, own: trust * sum(beginning) }
    })
    .filter(({ share }) => share > leastShare)
    .sort((a, b) => percent(b) - percent(a) || b.own - a.own || (a.name < b.name ? -1 : 1))
    .map(one => ({ ...one, text: sentence(one, target, total, trouble) }))
  const [first, second] = ranked
  return {
    targetExcess: total,
    ranked,
    standsOut: first !== undefined && first.share > 0.5 && first.share > 1.5 * (second?.share ?? 0),
    inferred
  }
}

/** Shares that print alike are equal; then the one whose loss others share too comes first. */
const percent = ({ share }: { share: number }): number => Math.round(share * 100)

/** What a service loses beyond its callees, bucket by bucket; a callee cannot pass on more than its caller lost. */
function createOwnExcess(
  excess: ReadonlyMap<string, Excess>,
  known: readonly Call[],
  inferred: readonly Call[]
) {
  const certain = createCallGraph(known).callees
  const likely = createCallGraph(inferred).callees
  return (name: string): number[] =>
    (excess.get(name) ?? []).map((lost, row) => {
      const passedOn = (callees: ReadonlySet<string> | undefined): number =>
        sum([...(callees ?? [])].map(callee => Math.min(excess.get(callee)?.[row] ?? 0, lost)))
      return Math.max(
        0,
        lost - passedOn(certain.get(name)) - trustInInferred * passedOn(likely.get(name))
      )
    })
}

/** "payments explains 92 % of the extra 24 s of frontend", with the unit of the trouble. */
function sentence(
  one: { readonly name: string; readonly share: number },
  target: string,
  total: number,
  trouble: Trouble
): string {
  const explained = `explains ${Math.max(1, percent(one))} % of`
  const lost =
    trouble === 'latency'
      ? `extra ${total >= 10 ? Math.round(total) : total.toPrecision(2)} s`
      : `${Math.max(1, Math.round(total))} extra failed requests`
  return one.name === target
    ? `${target} itself ${explained} its ${lost}`
    : `${one.name} ${explained} ${target}'s ${lost}`
}
