import { addedCalls } from './added-calls.ts'
import { codeMeanings } from './code-meaning.ts'
import type { Change } from './incident.ts'
import { delayedMechanisms, effects, type Mechanism } from './mechanisms.ts'
import { pairMeanings } from './paired-lines.ts'
import { isCosmeticLine, isInertFile, readDiff, type Hunk } from './read-diff.ts'
import { settingChanges, settingInWords, type SettingChange } from './setting-changes.ts'
import type { SymptomKind } from './symptom-kinds.ts'
import { unboundedGrowth } from './unbounded-growth.ts'

/** One way in which a change can hurt. */
export interface ChangeMeaning {
  readonly mechanism: Mechanism
  /** How sure the reading is, 0 to 1. */
  readonly strength: number
  readonly text: string
}
export interface ReadChange {
  readonly hunks: readonly Hunk[]
  readonly meanings: readonly ChangeMeaning[]
  /** Nothing in it runs in production. */
  readonly isInert: boolean
}

/** Reads what a change does: from its diff, or from its own words where nobody has the diff. */
export function readChange({ message, files, diff, kind }: Change): ReadChange {
  const hunks = diff === null ? [] : readDiff(diff, files)
  const running = hunks.filter(hunk => !isInertFile(hunk.file))
  const lines = running.flatMap(hunk => [...hunk.added, ...hunk.removed])
  const isInert =
    files.length > 0 && (files.every(isInertFile) || (diff !== null && lines.every(isCosmeticLine)))
  if (isInert) return { hunks, meanings: [], isInert }
  const said = settingInWords(message).flatMap(change =>
    fromSetting(change, change.factor > 1 ? 0.9 : 0.5)
  )
  const read: ChangeMeaning[] = running.flatMap(hunk => [
    ...settingChanges(hunk).flatMap(change => fromSetting(change, 1)),
    ...codeMeanings(hunk),
    ...addedCalls(hunk),
    ...pairMeanings(hunk)
  ])
  read.push(...unboundedGrowth(running))
  const flagged: ChangeMeaning[] =
    kind === 'flag'
      ? [{ mechanism: 'feature_enabled', strength: 0.8, text: `switches ${message}` }]
      : []
  return { hunks, meanings: strongest([...read, ...said, ...flagged]), isInert }
}

/** A number's change as a mechanism; a bound that is new lowers, one that is dropped raises. */
function fromSetting(
  { setting, direction, text, factor }: SettingChange,
  trust: number
): ChangeMeaning[] {
  if (direction === 'removed' && (setting === 'ttl' || setting === 'capacity'))
    return [{ mechanism: 'eviction_removed', strength: 0.8 * trust, text }]
  // What a bound falls back to is its default, which may be tighter or looser.
  if (direction === 'removed' && setting === 'limit')
    return (['limit_lowered', 'limit_raised'] as const).map(mechanism => ({
      mechanism,
      strength: 0.7 * trust,
      text
    }))
  const lowers = direction === 'lowered' || direction === 'added'
  const mechanism: Mechanism = `${setting}_${lowers ? 'lowered' : 'raised'}`
  const isKnown = direction === 'lowered' || direction === 'raised'
  // A number that moved by a tenth is a tweak; one that moved by half or more is a decision.
  const size = isKnown ? Math.min(1, 0.4 + Math.log2(factor) * 0.6) : 0.6
  return mechanism in effects ? [{ mechanism, strength: trust * size, text }] : []
}

/** One meaning a mechanism: the one read most surely. */
function strongest(meanings: readonly ChangeMeaning[]): ChangeMeaning[] {
  const best = new Map<Mechanism, ChangeMeaning>()
  for (const meaning of meanings)
    if (meaning.strength > (best.get(meaning.mechanism)?.strength ?? 0))
      best.set(meaning.mechanism, meaning)
  return [...best.values()]
}

export interface Fit {
  /** How well the change explains the symptoms, 0 to 1. */
  readonly fit: number
  readonly text: string | undefined
  readonly mechanism: Mechanism | undefined
  readonly kind: SymptomKind | undefined
  /** Whether the harm comes with use or time. */
  readonly isDelayed: boolean
}

/** The meaning of a change that explains the symptoms best. */
export function fitSymptoms(
  { meanings }: ReadChange,
  symptoms: ReadonlyMap<SymptomKind, number>
): Fit {
  let best: Fit = {
    fit: 0,
    text: undefined,
    mechanism: undefined,
    kind: undefined,
    isDelayed: false
  }
  for (const { mechanism, strength, text } of meanings)
    for (const [kind, effect] of Object.entries(effects[mechanism] ?? {}) as [
      SymptomKind,
      number
    ][]) {
      const fit = strength * effect * (symptoms.get(kind) ?? 0)
      if (fit > best.fit)
        best = { fit, text, mechanism, kind, isDelayed: delayedMechanisms.has(mechanism) }
    }
  return best
}
