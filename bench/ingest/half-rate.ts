import { median, print, table, whole } from '../figures.ts'
import { mark, type AlertBody } from '../payload.ts'
import { runHelper } from '../process/own-process.ts'
import { askDatabase } from '../process/product.ts'
import type { LoadInput, LoadResult } from './post-load.ts'
import { problemsOf, type Round } from './rounds.ts'
import { countStored, type Server } from './servers.ts'

/** Latency at half the rate a variant has shown, with so many events in its database. */
export interface HalfRate {
  readonly variant: string
  readonly stored: number
  readonly perSecond: number
  readonly result: LoadResult
  readonly exact: boolean
}

interface HalfRateOptions {
  readonly seconds: number
  readonly connections: number
  /** Events to fill the database with before the second measurement, 0 for none. */
  readonly stored: number
}

/** Measures a variant alone at half its rate, then once more after its database was filled. */
export async function measureHalfRate(
  server: Server,
  rounds: readonly Round[],
  body: AlertBody,
  options: HalfRateOptions
): Promise<readonly HalfRate[]> {
  const { id } = server.variant
  const most = median(rounds.map(round => round.get(id)?.perSecond ?? Number.NaN))
  const found = [await atRate(server, 'half', most / 2, body, options)]
  if (options.stored > 0) {
    await fill(server.home, options.stored)
    found.push(await atRate(server, 'full', most / 2, body, options))
  }
  return found
}

async function atRate(
  { variant, home, product }: Server,
  name: string,
  perSecond: number,
  body: AlertBody,
  { seconds, connections }: HalfRateOptions
): Promise<HalfRate> {
  const [before] = await askDatabase<{ stored: string; last: string }>(
    home,
    'select count(*) as stored, coalesce(max(id), 0) as last from webhooks_events'
  )
  const result = await runHelper<LoadResult>('bench/ingest/post-load.ts', {
    url: product.url,
    path: '/v1/webhooks/receive',
    body: body.of(`bench-${name}-${mark}`),
    mark,
    connections,
    seconds,
    perSecond
  } satisfies LoadInput)
  const stored = await countStored(home, `bench-${name}-`, Number(before?.last))
  const exact = stored === (result.statuses['202'] ?? 0) && problemsOf(result) === ''
  return { variant: variant.id, stored: Number(before?.stored), perSecond, result, exact }
}

// As the store's own function writes them, past the jobs: nobody is to analyse these.
const filling = `
  with stored as (
    insert into webhooks_events (key, account, received_at, status, monitor_id, service)
    select gen_random_uuid(), null, now() - n * interval '1 second', 'alert',
      (n % 2000)::text, 'service-' || n % 50
    from generate_series(1::int, $1::int) as n
    returning id
  )
  insert into webhooks_bodies (event_id, headers, raw)
  select id, null, convert_to(
    '{"id":"' || id || '","alert_cycle_key":"fill-' || id || '","text":"' || repeat('filler ', 60) || '"}',
    'UTF8'
  )
  from stored`
const atOnce = 100_000

/** Puts events into the database beside the server, in pieces, and lets PostgreSQL count them. */
async function fill(home: string, events: number): Promise<void> {
  for (let left = events; left > 0; left -= atOnce)
    await askDatabase(home, filling, [Math.min(left, atOnce)])
  await askDatabase(home, 'vacuum analyze webhooks_events')
  await askDatabase(home, 'vacuum analyze webhooks_bodies')
  await askDatabase(home, 'checkpoint')
}

export function printHalfRates(all: readonly HalfRate[]): void {
  print('\nAt half the rate above, each request due at its own time, latency from when it was due')
  print(
    table(
      [
        '',
        'events stored before',
        'asked/s',
        'acks/s',
        'p50 ms',
        'p99 ms',
        'acknowledged = stored'
      ],
      all.map(({ variant, stored, perSecond, result, exact }) => [
        variant,
        whole(stored),
        whole(perSecond),
        whole(result.perSecond),
        result.p50.toFixed(1),
        result.p99.toFixed(1),
        exact ? 'exactly' : `NO ${problemsOf(result)}`
      ])
    )
  )
}
