import { canonical, merged, type Json } from '../datacat/serial-merge.ts'
import { kinds, type SessionLedger } from './ledger.ts'
import {
  createReader,
  lastOf,
  readTables,
  wrongCounts,
  type Counters,
  type StoredSession
} from './stored.ts'

/** Every list names offenders and should be empty. */
export interface Verdict {
  readonly acknowledged: number
  readonly doubtful: number
  readonly doubtfulStored: number
  readonly offenders: Readonly<Record<Offence, readonly string[]>>
}
const offences = [
  'sessions lost',
  'items lost',
  'items stored twice',
  'items nobody sent',
  'sessions out of order',
  'tables unlike HTTP',
  'states unlike the serial merge',
  'patches changed',
  'counts unlike rows'
] as const
export type Offence = (typeof offences)[number]

/** Compares what senders know with what a client and the tables show. */
export async function judge(
  url: string,
  home: string,
  ledgers: readonly SessionLedger[]
): Promise<Verdict> {
  const offenders = Object.fromEntries(
    offences.map(offence => [offence, [] as string[]])
  ) as Record<Offence, string[]>
  const tables = await readTables(home)
  offenders['counts unlike rows'].push(...(await wrongCounts(home)))
  const reader = createReader(url)
  let doubtfulStored = 0
  for (const ledger of ledgers) {
    const stored = await reader.read(ledger.id)
    if (!stored) {
      offenders['sessions lost'].push(ledger.id)
      continue
    }
    doubtfulStored += judgeItems(ledger, stored.counters, offenders)
    judgeState(ledger, stored, offenders)
    const rows = tables.get(ledger.id)
    if (kinds.some(kind => String(rows?.[kind] ?? []) !== String(stored.counters[kind])))
      offenders['tables unlike HTTP'].push(ledger.id)
  }
  reader.close()
  const items = ledgers.flatMap(ledger => ledger.items)
  const acknowledged = items.filter(item => item.fate === 'acknowledged').length
  return { acknowledged, doubtful: items.length - acknowledged, doubtfulStored, offenders }
}

/** Answers how many items in doubt were stored. */
function judgeItems(
  ledger: SessionLedger,
  counters: Counters,
  offenders: Record<Offence, string[]>
): number {
  let doubtfulStored = 0
  for (const kind of kinds) {
    const sent = new Map(
      ledger.items.filter(item => item.kind === kind).map(item => [item.counter, item])
    )
    const seen = new Set<number>()
    const nameOf = (counter: number): string => `${ledger.id} ${kind} ${counter}`
    for (const counter of counters[kind]) {
      if (seen.has(counter)) offenders['items stored twice'].push(nameOf(counter))
      if (!sent.has(counter)) offenders['items nobody sent'].push(nameOf(counter))
      if (sent.get(counter)?.fate === 'doubtful') doubtfulStored += 1
      seen.add(counter)
    }
    for (const [counter, item] of sent)
      if (item.fate === 'acknowledged' && !seen.has(counter))
        offenders['items lost'].push(nameOf(counter))
    if (counters[kind].some((counter, index, all) => index > 0 && counter < all[index - 1]!))
      offenders['sessions out of order'].push(`${ledger.id} ${kind}`)
  }
  return doubtfulStored
}

/**
 * The stored patches tell which of those in doubt were taken; merged one by one they must be the
 * state that is read.
 */
function judgeState(
  ledger: SessionLedger,
  stored: StoredSession,
  offenders: Record<Offence, string[]>
): void {
  const sent = new Map(ledger.items.map(item => [item.counter, item.patch]))
  const taken = new Set(stored.counters.state)
  const serial = ledger.items
    .filter(item => item.kind === 'state' && taken.has(item.counter))
    .reduce<Json>((state, item) => merged(state, item.patch), {})
  if (canonical(serial) !== canonical(stored.state))
    offenders['states unlike the serial merge'].push(ledger.id)
  for (const patch of stored.patches)
    if (canonical(sent.get(lastOf(patch))) !== canonical(patch))
      offenders['patches changed'].push(`${ledger.id} ${lastOf(patch)}`)
}

export const isClean = ({ offenders }: Verdict): boolean =>
  Object.values(offenders).every(list => list.length === 0)
