import { hash, hex, mix, sortableId, unit, uuid } from './random.ts'
import { matches, readPath, tagValues } from '../search/match.ts'
import { isAfter, type SearchRequest } from '../search/request.ts'
import { wordsOf } from '../search/query.ts'
import type { World } from './world.ts'

/** One thing a browser reported. */
export interface RumEvent {
  readonly id: string
  readonly at: number
  readonly service: string
  readonly tags: readonly string[]
  readonly attributes: Readonly<Record<string, unknown>>
}

const MINUTE = 60_000
const SESSION_MINUTES = 8
const PER_MINUTE = 6
const pages = ['/', '/products', '/products/lamp', '/cart', '/checkout', '/orders']
/** The id of the shop's own application. */
export const shopApplication = (world: World): string =>
  `${hex(hash(world.seed, 'rum'), 8)}-0000-4000-8000-${hex(hash(world.seed, 'rum', 1), 12)}`

/** The events of a window in order; errors and slow views follow what the gateway's metrics say at that time. */
export function rumEvents(world: World, request: SearchRequest, now: number): RumEvent[] {
  const from = Math.max(request.from, now - 30 * 86_400_000)
  const to = Math.min(request.to, now)
  const found: RumEvent[] = []
  for (let minute = Math.floor(from / MINUTE) - SESSION_MINUTES; minute <= to / MINUTE; minute++) {
    for (let i = 0; i < PER_MINUTE; i++)
      found.push(...session(world, minute, i).filter(event => event.at >= from && event.at <= to))
  }
  const rows = found
    .filter(
      event =>
        matches(request.query, searchable(event)) === true &&
        isAfter(event, request.after, request.descending)
    )
    .toSorted((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1))
  return (request.descending ? rows.toReversed() : rows).slice(0, request.limit)
}

const searchable = (event: RumEvent) => ({
  words: () => wordsOf(JSON.stringify(event.attributes)),
  values: (key: string) => (key === 'service' ? [event.service] : tagValues(event.tags, key)),
  attribute: (path: readonly string[]) => ({ value: readPath(event.attributes, path) })
})
/** A facet of an event. */
export const rumValue = (event: RumEvent, facet: string): unknown =>
  facet.startsWith('@')
    ? readPath(event.attributes, facet.slice(1).split('.'))
    : facet === 'service'
      ? event.service
      : tagValues(event.tags, facet)[0]

/** What the gateway does to visitors at a time: its share of errors and its 95th percentile in seconds. */
function weather(world: World, at: number): { errors: number; p95: number } {
  const own = (metric: string) =>
    world
      .series(metric)
      .find(
        series =>
          series.tags['kind'] === 'http' &&
          series.tags['env'] === 'prod' &&
          world.services[0]?.name === series.tags['service']
      )
      ?.valueAt(at) ?? 0
  const hits = own('trace.http.request.hits')
  return {
    errors: hits > 0 ? own('trace.http.request.errors') / hits : 0,
    p95: own('trace.http.request.duration.p95')
  }
}

function session(world: World, minute: number, index: number): RumEvent[] {
  const seed = hash(world.seed, 'session', minute, index)
  const start = minute * MINUTE + Math.floor(unit(seed, 0) * MINUTE)
  const count = 1 + (mix(seed, 1) % 5)
  const ids = {
    session: { id: uuid(hash(seed, 's')), type: 'user', has_replay: false },
    application: { id: shopApplication(world), name: 'shop-web' },
    usr: { id: `u${mix(seed, 2) % 9000}` }
  }
  const event = (type: string, at: number, n: number, more: object): RumEvent => ({
    id: sortableId(at, hash(seed, type, n)),
    at,
    service: 'shop-web',
    tags: [
      'service:shop-web',
      'env:prod',
      `version:${3 + (mix(seed, 3) % 2)}.1.0`,
      'sdk_version:5.8.0'
    ],
    attributes: {
      type,
      ...ids,
      service: 'shop-web',
      env: 'prod',
      browser: { name: ['Chrome', 'Firefox', 'Safari'][mix(seed, 4) % 3] },
      geo: { country_iso_code: ['US', 'CA', 'MX'][mix(seed, 5) % 3] },
      ...more
    }
  })
  const views = Array.from({ length: count }, (_, n) => view(world, seed, start, n, event)).flat()
  return [
    event('session', start, 0, {
      session: {
        ...ids.session,
        view: { count },
        time_spent: (views.at(-1)?.at ?? start) * 1e6 - start * 1e6
      }
    }),
    ...views
  ]
}

function view(
  world: World,
  seed: number,
  start: number,
  n: number,
  event: (type: string, at: number, n: number, more: object) => RumEvent
): RumEvent[] {
  const at = start + n * 45_000 + Math.floor(unit(seed, 10 + n) * 30_000)
  const path = pages[(n + (mix(seed, 20 + n) % 3)) % pages.length] ?? '/'
  const { errors, p95 } = weather(world, at)
  const loading = Math.round((0.6 + unit(seed, 30 + n)) * p95 * 1.8 * 1e9)
  const about = {
    id: uuid(hash(seed, 'v', n)),
    url: `https://shop.example.com${path}`,
    url_path: path,
    name: path,
    referrer: ''
  }
  const shown = event('view', at, n, {
    view: {
      ...about,
      loading_time: loading,
      time_spent: 25_000_000_000,
      first_contentful_paint: Math.round(loading * 0.4),
      error: { count: 0 }
    }
  })
  if (unit(seed, 40 + n) >= errors * 4) return [shown]
  return [
    shown,
    event('error', at + 900, n, {
      view: about,
      error: {
        id: uuid(hash(seed, 'e', n)),
        message: 'Request to /checkout failed with status 5xx',
        source: 'network',
        type: 'NetworkError'
      },
      resource: {
        url: 'https://shop.example.com/checkout',
        status_code: 502,
        duration: Math.round(p95 * 1e9)
      }
    })
  ]
}

/** An event as the v2 API shows it, as JSON text. */
export const rumJson = (event: RumEvent): string =>
  JSON.stringify({
    id: event.id,
    type: 'rum',
    attributes: {
      timestamp: new Date(event.at).toISOString(),
      service: event.service,
      tags: event.tags,
      attributes: event.attributes
    }
  })
