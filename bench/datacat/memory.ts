import { median, megabytes, print, ratio, table } from '../figures.ts'
import { loadBatches, loadRequests } from './load.ts'
import type { Bench, Limit, MemorySample, MemorySampler, PartResult } from './part.ts'
import { metricName, type Datacat } from './server.ts'

const everyMs = 500
const allowed = 1.15

/** Resident bytes of node, and of PostgreSQL with shared pages counted once. */
export function startMemorySampler(server: Datacat): MemorySampler {
  const samples: MemorySample[] = []
  let part = 'start'
  const timer = setInterval(() => {
    const { node, postgres } = server.product.memory()
    if (node.rss > 0 && postgres.shared > 0)
      samples.push({ part, at: performance.now(), node: node.rss, postgres: postgres.shared })
  }, everyMs)
  return {
    samples,
    enter(next) {
      part = next
    },
    stop: () => clearInterval(timer)
  }
}

/** Batches and single metrics at once for a while: what memory does when nothing but work goes on. */
export async function measureMemory({ server, setting, memory }: Bench): Promise<PartResult> {
  const [batches, singles] = [await server.createSessions(4), await server.createSessions(1_000)]
  const seconds = setting.soakSeconds
  const begun = performance.now()
  const [batched, single] = await Promise.all([
    loadBatches({
      url: server.url,
      sessions: batches,
      points: 1_000,
      seconds,
      round: 'soak',
      secondAt: 0
    }),
    loadRequests({
      url: server.url,
      method: 'POST',
      paths: singles.map(session => `/api/sessions/${session}/metrics`),
      body: JSON.stringify({ name: metricName, value: 12.5, tags: [] }),
      connections: 64,
      seconds
    })
  ])
  const samples = memory.samples.filter(sample => sample.at >= begun)
  const growth = {
    node: growthOf(samples.map(sample => sample.node)),
    postgres: growthOf(samples.map(sample => sample.postgres))
  }
  print(
    `\nmemory: ${seconds} s of batches (${Math.round(batched.perSecond / 1_000)} thousand ` +
      `points/s) and single metrics (${Math.round(single.perSecond)}/s) at once, ` +
      `${samples.length} samples; the last third beside the middle third: node ` +
      `${ratio(growth.node)}, PostgreSQL ${ratio(growth.postgres)}`
  )
  return {
    part: 'memory',
    figures: { growth, samples, batched, single },
    limits: [growthLimit('node', growth.node), growthLimit('PostgreSQL', growth.postgres)]
  }
}

const growthLimit = (of: string, measured: number): Limit => ({
  what: `memory of ${of}, last third / middle third`,
  measured,
  relation: '≤',
  limit: allowed
})

function growthOf(bytes: readonly number[]): number {
  const third = Math.floor(bytes.length / 3)
  return (
    median(bytes.slice(bytes.length - third)) / median(bytes.slice(third, bytes.length - third))
  )
}

/** What was held in each part of the run. */
export function printMemory(samples: readonly MemorySample[]): void {
  const row = (label: string, from: readonly MemorySample[]): string[] => {
    const figures = (pick: (sample: MemorySample) => number): string[] => {
      const values = from.map(pick)
      return [
        megabytes(Math.min(...values)),
        megabytes(median(values)),
        megabytes(Math.max(...values))
      ]
    }
    return [
      label,
      ...figures(sample => sample.node),
      ...figures(sample => sample.postgres),
      String(from.length)
    ]
  }
  print('\nMemory in each part: node resident, PostgreSQL proportional')
  const parts = [...new Set(samples.map(sample => sample.part))]
  print(
    table(
      ['', 'node min', 'median', 'max', 'postgres min', 'median', 'max', 'samples'],
      [
        ...parts.map(part =>
          row(
            part,
            samples.filter(sample => sample.part === part)
          )
        ),
        row('whole run', samples)
      ]
    )
  )
}
