import type { Claim, EvidenceRow } from '../contract.ts'
import { isWorse, sidesOf } from './compare-sides.ts'
import { isSameHost } from './host-names.ts'
import type { Known } from './origin-signs.ts'
import { inScope, rowsOf, textFact } from './read-rows.ts'

/** A machine on which the trouble is, and why. */
export interface HostTrouble {
  readonly host: string
  readonly class: string
  readonly remedy: string
  readonly reasons: readonly Claim[]
}

/** What a machine lacks, by its series and by what is said of it; the first that shows is what it is. */
const lacks = [
  {
    class: 'host.node_failure',
    remedy: 'drain_node',
    says: /not ?ready|unreachable|hardware|kernel panic|spot interruption|preempt|host (?:is )?down|impaired/i,
    shows: /^$/
  },
  {
    class: 'resource.disk',
    remedy: 'free_space',
    says: /disk ?pressure|no space left|disk full/i,
    shows: /disk\.in_use|inodes/
  },
  {
    class: 'resource.memory',
    remedy: 'drain_node',
    says: /memory ?pressure|out of memory|page allocation/i,
    shows: /mem\.|swap/
  },
  { class: 'host.noisy_neighbour', remedy: 'drain_node', says: /steal|noisy/i, shows: /steal/ },
  {
    class: 'resource.cpu',
    remedy: 'drain_node',
    says: /cpu|load average/i,
    shows: /cpu\.(?:user|system|idle)|load\.1/
  },
  { class: 'resource.disk', remedy: 'drain_node', says: /i\/o error/i, shows: /io\.|iowait/ }
] as const

/**
 * The one machine on which a service does worse while it does well on others, where something is wrong with the
 * machine itself: series of it that moved, or what is said of it. A bad version alone makes no bad machine.
 */
export function hostTrouble(known: Known): HostTrouble | undefined {
  const { slots, measured, onset } = known
  const troubled = measured.services.filter(({ isTroubled }) => isTroubled)
  for (const { name } of troubled) {
    const sides = sidesOf(slots, name, 'host', onset.at)
    const bad = sides.filter(side => isWorse(side))
    const [only] = bad
    if (!only || bad.length > 1 || sides.length < 2) continue
    const moved = rowsOf(slots, 'metric-resources').filter(row =>
      isSameHost(inScope(row, 'host') ?? '', only.name)
    )
    const said = saidOf(known, only.name)
    const lack = lacks.find(
      one =>
        said.some(row => one.says.test(row.text)) ||
        moved.some(row => one.shows.test(textFact(row, 'metric') ?? ''))
    )
    if (!lack) continue
    return {
      host: only.name,
      class: lack.class,
      remedy: lack.remedy,
      reasons: [
        {
          text: `${name} does worse on ${only.name} alone, and as before on ${sides.length - 1} other hosts`,
          evidence: sides.flatMap(({ evidence }) => evidence)
        },
        ...moved.slice(0, 4).map(row => ({ text: row.text, evidence: [row.id] })),
        ...said.slice(0, 3).map(row => ({
          text: `of ${only.name} is said "${row.text.slice(0, 120)}"`,
          evidence: [row.id]
        }))
      ]
    }
  }
  return undefined
}

const minute = 60_000
/** Bad lines and announcements about a machine around the onset, other than what its services say of themselves. */
function saidOf({ slots, onset }: Known, host: string): EvidenceRow[] {
  const isNear = (row: EvidenceRow): boolean =>
    row.at !== null && row.at >= onset.at - 15 * minute && row.at <= onset.at + 30 * minute
  const about = (row: EvidenceRow): boolean => {
    const own = textFact(row, 'host')
    return row.text.includes(host) || (own !== undefined && isSameHost(own, host))
  }
  return [...rowsOf(slots, 'changes'), ...rowsOf(slots, 'logs')].filter(
    row => isNear(row) && about(row) && /node|host|machine|kernel|pressure|kubelet/i.test(row.text)
  )
}
