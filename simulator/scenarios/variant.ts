import { hash, mix, unit } from '../world/random.ts'
import type { LoadedScenario, Scenario } from './load-scenario.ts'

/** One retelling of a scenario: other names and strength; 0 is the scenario as it is written. */
export interface Variant {
  readonly number: number
  readonly names: Readonly<Record<string, string>>
  readonly scale: number
  readonly shiftMs: number
}

const pool = [
  'atlas-api',
  'birch-svc',
  'cobalt-api',
  'delta-hub',
  'ember-svc',
  'fjord-api',
  'garnet-svc',
  'harbor-api',
  'indigo-svc',
  'juniper-api',
  'krill-svc',
  'lumen-api',
  'maple-svc',
  'nimbus-api',
  'onyx-svc',
  'prism-api',
  'quartz-svc',
  'raven-api'
]
const kinds = new Set(['http', 'worker'])
/** Stores give their names to their metrics, so they keep them. */
const external = 'acme-pay'

/**
 * Draws the names, the strength (0.85 to 1.2) and a shift of the onset (up to a day earlier, whole minutes; for
 * who sets t0) of a variant.
 */
export function drawVariant(loaded: LoadedScenario, number: number, seed: number): Variant {
  if (number === 0) return { number, names: {}, scale: 1, shiftMs: 0 }
  const own = hash('variant', seed, number)
  const given = [
    ...loaded.full.services.filter(service => kinds.has(service.kind)).map(service => service.name),
    'orders-db',
    external
  ]
  const shuffled = pool
    .map((name, i) => ({ name, key: mix(own, i) }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ name }) => name)
  return {
    number,
    names: Object.fromEntries(given.map((name, i) => [name, shuffled[i] ?? name])),
    scale: 0.85 + unit(own, 100) * 0.35,
    shiftMs: -Math.floor(unit(own, 101) * 1440) * 60_000
  }
}

/** The scenario under the names and at the strength of a variant, everywhere at once. */
export const retell = ({ full, calm }: LoadedScenario, variant: Variant): LoadedScenario =>
  variant.number === 0
    ? { full, calm }
    : {
        full: renamed(scaled(full, variant.scale), variant.names),
        calm: renamed(calm, variant.names)
      }

function scaled(scenario: Scenario, scale: number): Scenario {
  const effects = scenario.effects.map(effect => {
    if (effect.fixed === true || effect.mag === undefined || effect.type === 'dropout')
      return effect
    return {
      ...effect,
      mag:
        (effect.op ?? 'mul') === 'mul'
          ? Math.max(0, 1 + (effect.mag - 1) * scale)
          : effect.mag * scale
    }
  })
  return { ...scenario, effects }
}

/**
 * Replaces names wherever they are written, inside words joined by hyphens too (`deploy-checkout-api`), in one
 * pass so that names may trade places.
 */
function renamed(scenario: Scenario, names: Variant['names']): Scenario {
  const longestFirst = Object.keys(names).toSorted((a, b) => b.length - a.length)
  const pattern = new RegExp(`(?<![a-z0-9])(?:${longestFirst.join('|')})(?![a-z0-9])`, 'g')
  return JSON.parse(
    JSON.stringify(scenario).replace(pattern, name => names[name] ?? name)
  ) as Scenario
}
