import { DatadogError, type TimeWindow } from '../../contract.ts'
import type { LogTier } from './account.ts'

const all: readonly LogTier[] = ['indexes', 'flex', 'online-archives']
/** The shortest retention Datadog sells for indexes; older lines may be in another tier. */
const surelyIndexedMs = 3 * 86_400_000

/**
 * What one account has learned about where its logs are; a search costs one of about 300 an hour, so no tier is asked
 * in vain.
 */
export interface LogTiers {
  /** The tiers to ask for a window, in order. */
  order(window: TimeWindow): readonly LogTier[]
  /** Lines came from this tier, so it is in use. */
  found(tier: LogTier): void
  /** The account has no such tier. */
  absent(tier: LogTier): void
}

export function createLogTiers(now: () => number = Date.now): LogTiers {
  const gone = new Set<LogTier>()
  let indexed = false
  return {
    order: window =>
      indexed && window.from >= now() - surelyIndexedMs
        ? ['indexes']
        : all.filter(tier => !gone.has(tier)),
    found: tier => {
      if (tier === 'indexes') indexed = true
    },
    absent: tier => {
      gone.add(tier)
    }
  }
}

interface TierAnswer<T> {
  readonly found: T
  readonly tier: string
  readonly warnings: readonly string[]
}

/**
 * Asks tier after tier until one has lines. The first must answer; the others are a bonus, and say so when they fail.
 */
export async function inTiers<T>(
  tiers: LogTiers,
  order: readonly LogTier[],
  read: (tier: LogTier) => Promise<T>,
  isEmpty: (found: T) => boolean
): Promise<TierAnswer<T>> {
  const [first = 'indexes', ...others] = order
  const found = await read(first)
  if (!isEmpty(found)) tiers.found(first)
  if (!isEmpty(found) || others.length === 0) return { found, tier: first, warnings: [] }
  const asked: LogTier[] = [first]
  const warnings: string[] = []
  for (const tier of others) {
    try {
      const further = await read(tier)
      asked.push(tier)
      if (isEmpty(further)) continue
      return {
        found: further,
        tier,
        warnings: [`the tier ${first} has no lines for this, these are from ${tier}`, ...warnings]
      }
    } catch (error) {
      if (!(error instanceof DatadogError)) throw error
      if (['invalid', 'forbidden', 'not_found'].includes(error.failure)) tiers.absent(tier)
      else warnings.push(`the tier ${tier} was not read: ${error.message}`)
    }
  }
  return { found, tier: asked.join(', '), warnings }
}

/** Said of lines from the indexes when the window reaches beyond what they surely hold. */
export const beyondRetention = (
  window: TimeWindow,
  tier: string,
  now: number = Date.now()
): string[] =>
  tier === 'indexes' && window.from < now - surelyIndexedMs
    ? [
        'the window begins more than 3 days ago: what is older than the retention of the ' +
          'indexes is silently left out by Datadog'
      ]
    : []
