import { setTimeout as sleep } from 'node:timers/promises'
import { print } from '../figures.ts'

/** Work that is left, over HTTP as an operator sees it. */
export interface Backlog {
  readonly created: number
  readonly retry: number
  readonly active: number
  readonly failed: number
  readonly done: number
  readonly open: number
}

async function total(url: string): Promise<number> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(30_000) })
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`)
  return ((await answer.json()) as { total_count: number }).total_count
}

export async function readBacklog(url: string): Promise<Backlog> {
  const jobs = (state: string): Promise<number> => total(`${url}/v1/jobs?state=${state}&per_page=1`)
  const analyses = (status: string): Promise<number> =>
    total(`${url}/v1/rca?status=${status}&per_page=1`)
  const [created, retry, active, failed, done, pending, running] = await Promise.all([
    jobs('created'),
    jobs('retry'),
    jobs('active'),
    jobs('failed'),
    analyses('done'),
    analyses('pending'),
    analyses('running')
  ])
  return {
    created: created!,
    retry: retry!,
    active: active!,
    failed: failed!,
    done: done!,
    open: pending! + running!
  }
}

/** Waits until no job and no analysis is open; throws when nothing moves for `stallMs`. */
export async function untilDrained(
  url: string,
  stallMs = 60_000
): Promise<{ seconds: number; analysed: number; backlog: Backlog }> {
  const started = performance.now()
  const first = await readBacklog(url)
  let last = first
  let moved = performance.now()
  let told = moved
  while (last.created + last.retry + last.active + last.open > 0) {
    await sleep(2_000)
    const now = await readBacklog(url)
    if (JSON.stringify(now) !== JSON.stringify(last)) moved = performance.now()
    if (performance.now() - moved > stallMs)
      throw new Error(`nothing has moved for ${stallMs / 1000} s: ${JSON.stringify(now)}`)
    if (performance.now() - told > 10_000) {
      told = performance.now()
      print(
        `  … ${now.done} analyses done, ${now.open} open; jobs: ${now.created} waiting, ` +
          `${now.retry} to be tried again, ${now.active} taken ` +
          `(${(((now.done - first.done) / (performance.now() - started)) * 1000).toFixed(1)} ` +
          'analyses/s)'
      )
    }
    last = now
  }
  return {
    seconds: (performance.now() - started) / 1000,
    analysed: last.done - first.done,
    backlog: last
  }
}
