import { errorText, Type, type PluginApp, type Static } from '../../../core/index.ts'
import type { config } from '../config.ts'
import { createIncidentVectors, type IncidentVectors } from '../service/vectors/incident-vectors.ts'
import { createOllama } from '../service/vectors/ollama.ts'
import { createQdrant } from '../service/vectors/qdrant.ts'
import { ofEventsStore } from '../store/of-events.ts'
import { createVectorRows } from '../store/vectors.ts'

/** The vectors of incidents, and the jobs that make missing ones and forget those of deleted analyses. */
export function openVectors(app: PluginApp<Static<typeof config>>): {
  readonly vectors: IncidentVectors | undefined
  /** Deletes the analyses of these events, with their vectors; answers how many there were. */
  forget(eventIds: readonly number[]): Promise<number>
} {
  const { db, log } = app
  const vectors = vectorsOf(app)
  const remove = app.job('forget-vectors', {
    payload: Type.Object({
      gone: Type.Array(Type.Object({ id: Type.String(), place: Type.String() }))
    }),
    async run({ gone }, { signal }) {
      if (vectors) await vectors.remove(gone, signal)
      else log.warn({ vectors: gone.length }, 'vectors of deleted analyses stay where they are')
    }
  })
  return {
    vectors,
    forget: eventIds =>
      db.transaction(async trx => {
        const deleted = await ofEventsStore.remove(trx, eventIds)
        const gone = deleted.flatMap(({ id, place }) =>
          place === null || place.startsWith('postgres:') ? [] : [{ id, place }]
        )
        if (gone.length > 0) await remove.enqueue({ gone }, { trx })
        return deleted.length
      })
  }
}

function vectorsOf(app: PluginApp<Static<typeof config>>): IncidentVectors | undefined {
  const { config: settings, db, log } = app
  const { ollama_url: ollamaUrl, ollama_model: model, qdrant_url: qdrantUrl } = settings
  if (ollamaUrl === '') {
    if (qdrantUrl !== '')
      log.warn('QDRANT_URL is not used without OLLAMA_URL, which makes the vectors')
    return undefined
  }
  const vectors = createIncidentVectors({
    db,
    log,
    embedder: createOllama({ url: ollamaUrl, model }),
    store:
      qdrantUrl === ''
        ? createVectorRows(db)
        : createQdrant({ url: qdrantUrl, apiKey: settings.qdrant_api_key }),
    refill: () => embed.enqueue({})
  })
  const embed = app.job('embed-incidents', {
    payload: Type.Object({}),
    maxConcurrent: 1,
    timeoutSeconds: 600,
    run: (_, { signal }) => vectors.embedMissing(signal)
  })
  app.onReady(() => embed.enqueue({}))
  app.schedule('embed-late-incidents', '*/10 * * * *', async ({ signal }) => {
    if (!(await vectors.isBehind())) return
    // The next round is the next attempt.
    await vectors
      .embedMissing(signal)
      .catch((error: unknown) => log.warn({ error: errorText(error) }, 'vectors are missing'))
  })
  app.check('incident-vectors', {
    required: false,
    run: async signal => ({ ok: true, detail: await vectors.probe(signal) })
  })
  return vectors
}
