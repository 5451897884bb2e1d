import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { atEnd, createTestApp, createTestDatabase, type Test } from '../../../../core/testing.ts'
import { eventually } from '../../../../core/test/eventually.ts'
import { createSimulator, type SimAccount } from '../../../../simulator/simulator.ts'
import { notebookMarker } from '../../service/notebook.ts'
import type { Analysis } from '../simulated-app.ts'
import { startHolding, type Moment } from './holding-datadog.ts'
import { plugins } from './plugins.ts'

/** What became of an analysis whose process was killed at a moment. */
export interface Survivor {
  readonly moment: Moment
  readonly status: string
  readonly attempt: number
  readonly analyses: number
  readonly notebooks: number
  readonly verdict: string | undefined
  readonly component: string | undefined
  /** Requests to Datadog until the kill, and after it. */
  readonly requestsBefore: number
  readonly requestsAfter: number
}

const waitMs = 120_000

/** Has a worker begin an analysis for each moment, kills it (SIGKILL) there, and has the next ones finish it. */
export async function killAnalyses(t: Test, moments: readonly Moment[]): Promise<Survivor[]> {
  const simulator = await createSimulator({ scenario: 's1' })
  atEnd(t, () => simulator.close())
  const [target] = simulator.accounts
  if (!target) throw new Error('the simulator has no account')
  const datadog = await startHolding(t, target, moments)
  const connection = await createTestDatabase(t)
  const env = {
    RAYNE_DEMO_ACCOUNTS: JSON.stringify(datadog.accounts),
    RAYNE_RCA_CONCURRENCY: '8',
    RAYNE_RCA_HOURLY_PER_MONITOR: '0'
  }
  const app = await createTestApp(t, { connection, plugins, env })
  const start = async (): Promise<ChildProcess> => {
    const child = spawn(
      process.execPath,
      [fileURLToPath(new URL('./worker.fixture.ts', import.meta.url))],
      {
        env: { PATH: process.env['PATH'], ...env, TRY_CONNECTION: JSON.stringify(connection) },
        stdio: ['ignore', 'pipe', 'inherit']
      }
    )
    atEnd(t, () => child.kill('SIGKILL'))
    await once(child.stdout, 'data')
    return child
  }
  const end = async (child: ChildProcess): Promise<void> => {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  }

  const events: number[] = []
  const before: number[] = []
  for (const { name } of datadog.accounts) {
    // It takes up what those before it left, too, and may be killed at that.
    const worker = await start()
    const body = { ...(JSON.parse(simulator.renderWebhook()) as object), alert_cycle_key: name }
    const path = `/v1/webhooks/receive/${name}`
    events.push((await app.call<{ event_id: number }>('POST', path, body)).body.event_id)
    await eventually(`${name} at its moment`, () => datadog.isHeld(name), waitMs)
    await end(worker)
    before.push(datadog.count(name))
    datadog.release(name)
  }
  const last = await start()
  const open = async (): Promise<number> =>
    Number((await app.db('rca_analyses').whereNull('finished_at').count('* as n'))[0]?.['n'])
  await eventually('the end of all analyses', async () => (await open()) === 0, waitMs)
  await end(last)
  const notebooks = await notebookTexts(target)
  return Promise.all(
    moments.map(async (moment, index): Promise<Survivor> => {
      const ids: string[] = await app
        .db('rca_analyses')
        .where({ event_id: events[index] })
        .pluck('id')
      const { body } = await app.call<Analysis>('GET', `/v1/rca/${ids[0]}`)
      return {
        moment,
        status: body.status,
        attempt: body.attempt,
        analyses: ids.length,
        notebooks: notebooks.filter(text => text.includes(notebookMarker(ids[0] ?? ''))).length,
        verdict: body.report?.verdict,
        component: body.report?.component,
        requestsBefore: before[index] ?? 0,
        requestsAfter: datadog.count(`k${index + 1}`) - (before[index] ?? 0)
      }
    })
  )
}

/** Every notebook there is, whole. */
async function notebookTexts({ baseUrl, apiKey, appKey }: SimAccount): Promise<string[]> {
  const headers = { 'dd-api-key': apiKey, 'dd-application-key': appKey }
  const answer = await fetch(`${baseUrl}/api/v1/notebooks?count=1000&include_cells=true`, {
    headers
  })
  const { data } = (await answer.json()) as { data: unknown[] }
  return data.map(one => JSON.stringify(one))
}
