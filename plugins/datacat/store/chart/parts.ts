import type { Selection } from './selection.ts'

const bounded = (value: string): string => `least(greatest(${value}, -1e290), 1e290)`

/** What a chart shows of a point `p`: one of the samples it stands for. */
export const sample = 'coalesce(p.sample, p.value)'
/** How many samples a point `p` stands for. */
export const weight = 'coalesce(p.weight, 1)'
/** The sum of these samples; one of float64 that overflows is an error in PostgreSQL. */
export const total = bounded(`${bounded(sample)} * ${weight}`)

const single = `
  p.at as at,
  p.at as till,
  ${sample} as first,
  ${sample} as last,
  ${sample} as minimum,
  ${sample} as maximum,
  p.at as min_at,
  p.at as max_at,
  ${total} as total,
  1::bigint as points,
  ${weight} as weight`
const rolled = (level: number): string => `
  r.from_at as at,
  r.to_at as till,
  r.first,
  r.last,
  r.minimum,
  r.maximum,
  r.min_at,
  r.max_at,
  r.total,
  ${64 ** level}::bigint as points,
  coalesce(r.weight, ${64 ** level}) as weight`

/** Joins the points of the chosen series. */
export const pointsOf = (where: string): string => `
  join datacat_points p
    on p.series_id = c.id
      and p.received_at >= c.received_at
      and ${where}`
/** Whether a point lies in the range. */
export const inside = 'p.at >= :from and p.at < :to'

/** Rollups of a level that no full rollup of the next one covers. */
const rollupsOf = (level: number, top: number, where: string): string => `
  join datacat_rollups r
    on r.series_id = c.id
      and r.level = ${level}
      and r.received_at >= c.received_at
      ${level >= top ? '' : `and r.block >= (c.count >> ${6 * (level + 1)}) << 6`}
      and ${where}`
const stretch = (level: number): string =>
  `p.n >= r.block << ${6 * level} and p.n < (r.block + 1) << ${6 * level}`
const behindRollups = 'p.n >= (c.count >> 6) << 6'

/**
 * What lies in the range, in as few rows as possible: rollups of `level` inside it, smaller ones
 * behind the last of these, single points behind the last rollup, and the single points of rollups
 * that reach over an end of the range. Level 0 is single points only, found through the smallest
 * rollups when there is a range.
 */
export function parts(level: number, { from, to }: Selection): string {
  const selects = from === null && to === null ? partsOfAll(level) : partsOfRange(level)
  return selects.join('\nunion all\n')
}

const levelsTo = (level: number): number[] => Array.from({ length: level }, (_, n) => n + 1)

function partsOfAll(level: number): string[] {
  if (level === 0) return [`select c.*, ${single} from c ${pointsOf('true')}`]
  return [
    ...levelsTo(level).map(
      at => `select c.*, ${rolled(at)} from c ${rollupsOf(at, level, 'true')}`
    ),
    `select c.*, ${single} from c ${pointsOf(behindRollups)}`
  ]
}

function partsOfRange(level: number): string[] {
  const isInside = 'r.from_at >= :from and r.to_at < :to'
  const overlaps = 'r.to_at >= :from and r.from_at < :to'
  const tail = `select c.*, ${single} from c ${pointsOf(`${behindRollups} and ${inside}`)}`
  const singlesOf = (rollups: string, at: number): string =>
    `select c.*, ${single} from c ${rollups} ${pointsOf(`${stretch(at)} and ${inside}`)}`
  if (level === 0) return [singlesOf(rollupsOf(1, 1, overlaps), 1), tail]
  return [
    ...levelsTo(level).map(
      at => `select c.*, ${rolled(at)} from c ${rollupsOf(at, level, isInside)}`
    ),
    ...levelsTo(level).map(at =>
      singlesOf(rollupsOf(at, level, `${overlaps} and not (${isInside})`), at)
    ),
    tail
  ]
}
