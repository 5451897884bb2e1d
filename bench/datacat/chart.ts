import pg from 'pg'
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { median, print, quantile, table, whole } from '../figures.ts'
import { askDatabase, connectionOf } from '../process/product.ts'
import { batchSender } from './batch-sender.ts'
import { callJson, createConnection, requestOf } from './connection.ts'
import { inTurn, type Bench, type Limit, type PartResult } from './part.ts'
import { metricName, type Datacat } from './server.ts'

const budget = 1_500
/**
 * Where points that come while charts are drawn begin, counted from the first second: behind all
 * that other parts wrote.
 */
const secondAt = 2_000
const slots = ['chart', 'growing', 'sql'] as const
type Slot = (typeof slots)[number]
type Samples = Record<Slot, number[]>

const bucketed = `
  select min(p.value), max(p.value), avg(p.value), min(p.at), max(p.at), count(*)
  from datacat_points p
  join (
    select s.id, s.first_at::float8 as first_at, s.last_at::float8 as last_at
    from datacat_series s
    join datacat_sessions d on d.key = s.session_key
    where d.id = $1::uuid and s.name = $2
  ) s on p.series_id = s.id
  group by width_bucket(p.at::float8, s.first_at, s.last_at + 1, $3)
  order by 4`
const endsSql = `
  select min(p.value) as least,
    max(p.value) as greatest,
    (array_agg(p.value order by p.at, p.n))[1] as first,
    (array_agg(p.value order by p.at desc, p.n desc))[1] as last
  from datacat_points p
  join datacat_series s on s.id = p.series_id
  join datacat_sessions d on d.key = s.session_key
  where d.id = $1::uuid and s.name = $2`

/**
 * Milliseconds of a chart over the largest session, warm and after a restart of everything, beside
 * buckets made in SQL from the same points.
 */
export async function measureChart({ server, setting, largest }: Bench): Promise<PartResult> {
  const session = await largest()
  const path = `/v1/datacat/series?metric=${metricName}&session=${session}&aggregation=all&points=${budget}`
  const { values, counted } = await chartOf(server.url, path)
  const kept = await keptExtremes(server.home, session, values)
  const stored = await server.storedPoints([session])
  const warm: Samples[] = []
  await measureWarm(server, session, path, { round: 0, count: 3 })
  for (let round = 1; round <= setting.rounds; round++)
    warm.push(await measureWarm(server, session, path, { round, count: setting.charts }))
  const { cold, dropped } = await measureCold(server, session, path, setting.coldStarts)
  printChart({ warm, cold, points: values.length, stored, dropped: dropped.join('; ') })
  const all = warm.flatMap(round => round.chart)
  return {
    part: 'chart',
    figures: { warm, cold, points: values.length, kept, stored, counted, dropped },
    limits: limitsOf({ warm: all, cold, points: values.length, kept, counted, stored })
  }
}

function limitsOf(found: {
  readonly warm: readonly number[]
  readonly cold: readonly Cold[]
  readonly points: number
  readonly kept: number
  readonly counted: number
  readonly stored: number
}): Limit[] {
  const cold = found.cold.map(sample => sample.chart)
  return [
    { what: 'chart warm, p95 ms', measured: quantile(found.warm, 0.95), relation: '≤', limit: 60 },
    {
      what: 'chart cold, p95 ms',
      measured: quantile(cold, 0.95),
      relation: '≤',
      limit: 150
    },
    {
      what: 'chart: points of the answer',
      measured: found.points,
      relation: '≤',
      limit: budget
    },
    {
      what: 'chart: points of the answer, half of the budget',
      measured: found.points,
      relation: '≥',
      limit: budget / 2
    },
    {
      what: 'chart: first, last, least and greatest value kept',
      measured: found.kept,
      relation: '=',
      limit: 4
    },
    {
      what: 'chart: points it counts beside points stored',
      measured: found.counted,
      relation: '=',
      limit: found.stored
    }
  ]
}

/** One chart after a restart of everything, the next one, and the buckets in SQL after another. */
interface Cold {
  readonly chart: number
  readonly sql: number
  readonly again: number
}

async function measureCold(
  server: Datacat,
  session: string,
  path: string,
  starts: number
): Promise<{ cold: Cold[]; dropped: string[] }> {
  const dropped = new Set<string>()
  const restart = (): Promise<void> => server.restart(() => dropped.add(dropPageCache()))
  const cold: Cold[] = []
  for (let n = 0; n < starts; n++) {
    await restart()
    const chart = await oneChart(server.url, path)
    const again = await oneChart(server.url, path)
    await restart()
    cold.push({ chart, again, sql: await oneQuery(server.home, session) })
  }
  return { cold, dropped: [...dropped] }
}

/** In turn: the same chart again, the chart after one more point, and the buckets in SQL. */
async function measureWarm(
  server: Datacat,
  session: string,
  path: string,
  { round, count }: { round: number; count: number }
): Promise<Samples> {
  const connection = createConnection(server.url)
  const sender = batchSender({ url: server.url, session, points: 1, names: [metricName] })
  let appended = round * count
  const client = await connected(server.home)
  const run: Record<Slot, () => Promise<number>> = {
    chart: () => timed(() => answered(connection.ask(requestOf(server.url, 'GET', path)))),
    async growing() {
      appended += 1
      await sender.send(`g${appended}`, secondAt + appended)
      return run.chart()
    },
    sql: () => timed(() => client.query(bucketed, [session, metricName, budget]))
  }
  const samples: Samples = { chart: [], growing: [], sql: [] }
  // SQL over every point takes so long that a few of it must do.
  for (let n = 0; n < count; n++)
    for (const [slot, ms] of Object.entries(
      await inTurn(n % 5 === 0 ? slots : slots.slice(0, 2), n, name => run[name]())
    ))
      samples[slot as Slot].push(ms)
  connection.close()
  sender.close()
  await client.end()
  return samples
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}

async function answered(asked: Promise<{ status: number; text: string }>): Promise<string> {
  const { status, text } = await asked
  if (status !== 200)
    throw new Error(`a chart's request was answered with ${status}: ${text.slice(0, 300)}`)
  return text
}

async function chartOf(url: string, path: string): Promise<{ values: number[]; counted: number }> {
  const { count, series } = await callJson<{
    count: number
    series: { points: { value: number }[] }[]
  }>(url, 'GET', path)
  return { values: series[0]?.points.map(point => point.value) ?? [], counted: count }
}

/** How many of the four values a chart must show are in it, by the points table. */
async function keptExtremes(
  home: string,
  session: string,
  values: readonly number[]
): Promise<number> {
  const [row] = await askDatabase<{ least: number; greatest: number; first: number; last: number }>(
    home,
    endsSql,
    [session, metricName]
  )
  return [
    values[0] === row?.first,
    values.at(-1) === row?.last,
    Math.min(...values) === row?.least,
    Math.max(...values) === row?.greatest
  ].filter(Boolean).length
}

async function oneChart(url: string, path: string): Promise<number> {
  const connection = createConnection(url)
  const ms = await timed(() => answered(connection.ask(requestOf(url, 'GET', path))))
  connection.close()
  return ms
}

async function oneQuery(home: string, session: string): Promise<number> {
  const client = await connected(home)
  const ms = await timed(() => client.query(bucketed, [session, metricName, budget]))
  await client.end()
  return ms
}

async function connected(home: string): Promise<pg.Client> {
  const client = new pg.Client({ ...connectionOf(home), application_name: 'bench-chart' })
  client.on('error', () => {})
  await client.connect()
  return client
}

/** Makes the kernel forget files, where it lets us; answers what was dropped. */
function dropPageCache(): string {
  try {
    execFileSync('sync')
    writeFileSync('/proc/sys/vm/drop_caches', '3')
    return "server and PostgreSQL restarted, the kernel's page cache dropped"
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return `server and PostgreSQL restarted, the page cache kept (${reason})`
  }
}

function printChart({
  warm,
  cold,
  points,
  stored,
  dropped
}: {
  warm: readonly Samples[]
  cold: readonly Cold[]
  points: number
  stored: number
  dropped: string
}): void {
  print(
    `\nchart: GET /v1/datacat/series over ${whole(stored)} points, ${whole(points)} of them in the answer; in ms`
  )
  const row = (label: string, slot: Slot, from: readonly Samples[]): string[] => {
    const samples = from.flatMap(round => round[slot])
    return [
      label,
      median(samples).toFixed(1),
      quantile(samples, 0.95).toFixed(1),
      String(samples.length)
    ]
  }
  print(
    table(
      ['warm', 'median', 'p95', 'samples'],
      [
        row('the same chart again', 'chart', warm),
        row('after one more point', 'growing', warm),
        row('every point bucketed in SQL', 'sql', warm)
      ]
    )
  )
  print(`p95 by round: ${warm.map(round => quantile(round.chart, 0.95).toFixed(1)).join(', ')}`)
  print(
    `\n${table(
      ['cold', ...cold.map((_, n) => `start ${n + 1}`), 'median', 'worst'],
      (
        [
          ['first chart', 'chart'],
          ['second chart', 'again'],
          ['bucketed in SQL', 'sql']
        ] as const
      ).map(([label, key]) => {
        const samples = cold.map(sample => sample[key])
        return [
          label,
          ...samples.map(ms => ms.toFixed(1)),
          median(samples).toFixed(1),
          Math.max(...samples).toFixed(1)
        ]
      })
    )}`
  )
  print(`before each cold sample: ${dropped}`)
}
