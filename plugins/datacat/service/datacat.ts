import type { JobHandle, Knex, Logger, Principal } from '../../../core/index.ts'
import { createAppendStore } from '../store/append.ts'
import { sessionStore } from '../store/sessions.ts'
import { unknownSession } from '../wire/session-id.ts'
import { createCatalogue } from './catalogue.ts'
import type { Chart, ChartQuery } from './chart/chart.ts'
import { readChart } from './chart/read-chart.ts'
import { createExporter } from './export.ts'
import { createGrafana } from './grafana.ts'
import { createInProcess } from './in-process.ts'
import { createLive } from './live.ts'
import { createRenderer } from './render-session.ts'
import { createSessionReader } from './sessions.ts'
import { callerOf, createShares } from './shares.ts'
import { createStateTrees } from './state-trees.ts'
import { createStreams } from './streams.ts'
import { createWatch } from './watch.ts'
import type { Emit, Limits } from './watched.ts'
import { createWriter } from './write.ts'

/** Everything that writes and reads sessions, made of the parts beside it. */
export function createDatacatService({
  db,
  ingest,
  readers,
  emit,
  limits,
  log,
  purge
}: {
  db: Knex
  /** The pool of what writes: no reader keeps it from the database. */
  ingest: Knex
  /** The pool of charts, lists and exports, which may take long. */
  readers: Knex
  emit: Emit
  limits: Limits
  log: Logger
  purge: JobHandle<{ sessionKey: number }>
}) {
  const append = createAppendStore()
  const watch = createWatch({ db: ingest, emit, append, limits, log, bootedAt: Date.now() })
  const writer = createWriter({ db: ingest, emit, append, watch, trees: createStateTrees() })
  const sessions = createSessionReader(readers)
  const catalogue = createCatalogue(readers)
  const inTurn = createShares({ maxEach: 2, maxAll: 4, maxWaiting: 50, maxWaitMs: 20_000 })
  const chart = (query: ChartQuery, caller: Principal): Promise<Chart> =>
    inTurn(callerOf(caller), () => readChart(readers, query))
  return {
    ...writer,
    sessions,
    catalogue,
    chart,
    grafana: createGrafana({ sessions, catalogue, chart }),
    inProcess: createInProcess(writer),
    sweep: watch.sweep,
    /** Takes a session away at once; its rows go in a job. */
    remove: (id: string) => remove(db, purge, id),
    render: createRenderer(db).session,
    exporter: createExporter(readers),
    live: createLive(db, log),
    streams: createStreams(log)
  }
}
export type DatacatService = ReturnType<typeof createDatacatService>

async function remove(
  db: Knex,
  purge: JobHandle<{ sessionKey: number }>,
  id: string
): Promise<void> {
  await db.transaction(async trx => {
    const sessionKey = await sessionStore.remove(trx, id)
    if (sessionKey === undefined) throw unknownSession(id)
    await purge.enqueue({ sessionKey }, { trx, key: `session-${sessionKey}` })
  })
}
