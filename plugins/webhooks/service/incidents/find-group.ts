import { secondMs } from '../../../../core/index.ts'
import type { Problem } from './name-problem.ts'

/** A member of an open incident near in time to a new problem, in epoch milliseconds. */
export interface Neighbour {
  readonly incidentId: number
  readonly monitor: string
  readonly onHost: string | null
  readonly ofService: string | null
  readonly joinedAt: number
  /** Whether its incident is still gathering: nothing was analysed or told yet. */
  readonly isGathering: boolean
}
/** The incident a new problem belongs to, and why in a sentence. */
export interface Group {
  readonly incidentId: number
  readonly rule: 'scope' | 'host' | 'service'
  readonly why: string
  /** Incidents that are still gathering and belong to it as well. */
  readonly others: readonly number[]
}
/** A new problem as rules look at it. */
export interface NewProblem extends Problem {
  readonly at: number
  readonly host: string | null
  readonly service: string | null
}

/**
 * Which open incident a new problem is part of: another scope of a monitor that fires, or the storm of a host or a
 * service of which at least so many monitors alert. Undefined for a problem of its own.
 */
export function findGroup(
  found: NewProblem,
  neighbours: readonly Neighbour[],
  stormMonitors: number
): Group | undefined {
  const scopes = neighbours.filter(({ monitor }) => monitor === found.monitor)
  if (scopes.length > 0) {
    const words = `another scope of the same monitor, ${apart(found, scopes)}`
    return groupOf('scope', scopes, words)
  }
  const onHost = neighbours.filter(each => found.onHost !== null && each.onHost === found.onHost)
  const ofService = neighbours.filter(
    each => found.ofService !== null && each.ofService === found.ofService
  )
  for (const [rule, near, name] of [
    ['host', onHost, found.host],
    ['service', ofService, found.service]
  ] as const) {
    const monitors = new Set([found.monitor, ...near.map(({ monitor }) => monitor)]).size
    if (near.length === 0 || monitors < stormMonitors) continue
    const words = `one of ${monitors} monitors of ${rule} '${name}' that alert together, ${apart(found, near)}`
    return groupOf(rule, near, words)
  }
  return undefined
}

/** The oldest incident that has been told already, else the oldest; what still gathers goes along. */
function groupOf(rule: Group['rule'], near: readonly Neighbour[], why: string): Group {
  const ids = (which: readonly Neighbour[]): number[] =>
    [...new Set(which.map(({ incidentId }) => incidentId))].toSorted((a, b) => a - b)
  const told = ids(near.filter(({ isGathering }) => !isGathering))
  const gathering = ids(near.filter(({ isGathering }) => isGathering))
  const incidentId = told[0] ?? gathering[0] ?? 0
  return { incidentId, rule, why, others: gathering.filter(id => id !== incidentId) }
}

const apart = ({ at }: NewProblem, near: readonly Neighbour[]): string => {
  const gaps = near.map(({ joinedAt }) => Math.abs(at - joinedAt))
  return `${Math.round(Math.min(...gaps) / secondMs)} s from the nearest`
}
