import { createRouter } from '../../../../simulator/routes/route.ts'
import { routes } from '../../../../simulator/routes/all-routes.ts'
import { exercise, exerciseEnvelope, type Outcome, type Prepare } from './exercise.ts'
import { operations } from './operations.ts'
import type { Interaction, Recording } from './recordings.ts'
import { startReplayServer } from './replay-server.ts'

/** What a replay of recordings showed; `skipped` counts interactions of operations Rayne does not use. */
export interface Replay {
  readonly outcomes: readonly Outcome[]
  readonly skipped: ReadonlyMap<string, number>
  readonly driven: number
}

/** Drives every recorded interaction through the client. */
export async function replay(recordings: readonly Recording[], prepare?: Prepare): Promise<Replay> {
  const server = await startReplayServer()
  const outcomes: Outcome[] = []
  const skipped = new Map<string, number>()
  let driven = 0
  for (const recording of recordings.map(named))
    for (const interaction of recording.interactions) {
      const operation = operations[interaction.op ?? '']
      if (operation) {
        outcomes.push(await exercise(server, operation, { interaction, recording }, prepare))
        driven++
        continue
      }
      const name = interaction.op ?? unnamed(interaction)
      skipped.set(name, (skipped.get(name) ?? 0) + 1)
      if (interaction.response.status >= 400)
        outcomes.push(await exerciseEnvelope(server, interaction, recording))
    }
  await server.close()
  return { outcomes, skipped, driven }
}

const findRoute = createRouter(routes)
/** A recording that does not name an operation has the one its method and path are those of. */
const named = (recording: Recording): Recording => ({
  ...recording,
  interactions: recording.interactions.map(one => ({
    ...one,
    op: one.op ?? findRoute(one.request.method, one.request.path)?.route.op ?? null
  }))
})

const unnamed = ({ request }: Interaction): string =>
  `unnamed ${request.method} ${request.path.replace(/\d+/g, '#')}`
