import {
  createToken,
  definePlugin,
  defineTool,
  type Knex,
  type PluginApp,
  type Static,
  Type
} from 'rayne'
import { AlertReceived } from 'rayne/contract/webhooks'

/** What other parts may ask of this plugin. */
interface Notes {
  of(service: string): Promise<{ text: string }[]>
}
export const NotesToken = createToken<Notes>('first-plugin.notes')

const Service = Type.String({ minLength: 1, maxLength: 100 })
const Note = Type.Object({
  service: Service,
  text: Type.String({ minLength: 1, maxLength: 1000 })
})
const Found = Type.Object({ notes: Type.Array(Type.Object({ text: Type.String() })) })

export default definePlugin({
  id: 'first-plugin',
  version: '1.0.0',
  provides: [NotesToken],
  migrations: [
    {
      name: '0001_notes',
      up: trx =>
        trx.raw(`
          create table first_plugin_notes (
            id bigint generated always as identity primary key,
            service text not null,
            text text not null,
            source text unique
          )`)
    }
  ],
  register(app) {
    const notes = createNotes(app.db)
    app.provide(NotesToken, notes)
    commands(app, notes)
    routes(app, notes, writeJob(app, notes))
    // At least once, so a unique source makes the second delivery do nothing.
    app.on(AlertReceived, async ({ event_id, alert }) => {
      const text = `alerted: ${alert.title ?? alert.monitor_name ?? 'no title'}`
      if (alert.service)
        await notes.add(app.db, { service: alert.service, text, source: `alert-${event_id}` })
    })
    app.tool(notesOfService)
    app.check('notes', {
      required: false,
      run: async () => ({ ok: true, detail: `${await notes.count()} notes are kept` })
    })
  }
})

function createNotes(db: Knex) {
  const rows = (trx: Knex = db) => trx<{ service: string; text: string }>('first_plugin_notes')
  return {
    add: async (trx: Knex, note: Static<typeof Note> & { source?: string }): Promise<void> => {
      await rows(trx).insert(note).onConflict('source').ignore()
    },
    of: (service: string): Promise<{ text: string }[]> =>
      rows().where({ service }).select('text').orderBy('id'),
    count: async (): Promise<number> => {
      const [row] = await rows().count({ total: '*' })
      return Number(row?.total ?? 0)
    }
  }
}

/** A job is durable: enqueued in a transaction, it runs if and only if that transaction commits. */
const writeJob = (app: PluginApp<unknown>, notes: ReturnType<typeof createNotes>) =>
  app.job('write', {
    payload: Note,
    run: async (note, job) => {
      await app.db.transaction(async trx => {
        await job.fence(trx)
        await notes.add(trx, { ...note, source: job.id })
      })
    }
  })

function routes(app: PluginApp<unknown>, notes: Notes, write: ReturnType<typeof writeJob>): void {
  app.route({
    method: 'POST',
    path: '/notes',
    auth: 'user',
    summary: 'Note something about a service',
    status: 202,
    body: Note,
    response: Type.Object({ status: Type.String() }),
    async handle({ body }) {
      await write.enqueue(body)
      return { status: 'queued' }
    }
  })
  app.route({
    method: 'GET',
    path: '/notes/{service}',
    auth: 'user',
    summary: 'Notes of a service',
    params: Type.Object({ service: Service }),
    response: Found,
    handle: async ({ params }) => ({ notes: await notes.of(params.service) })
  })
}

/** `rayne notes <service>`: the same schemas check what a person types, and make its --help. */
function commands(app: PluginApp<unknown>, notes: Notes): void {
  app.command({
    name: 'notes',
    summary: 'what people noted about a service',
    arguments: Type.Object({ service: Service }),
    options: Type.Object({
      limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100, description: 'the latest' })
    }),
    async run({ service, limit }) {
      const found = (await notes.of(service)).slice(-limit)
      return {
        value: { service, notes: found },
        lines: found.length > 0 ? found.map(note => note.text) : [`no notes about '${service}'`]
      }
    }
  })
}

const notesOfService = defineTool({
  name: 'notes_of_service',
  title: 'Notes of a service',
  effect: 'read',
  timeoutMs: 2_000,
  description:
    'What people noted about a service. Use it when a service alerts; it does not search the text.',
  input: Type.Object({ service: Type.String() }),
  output: Found,
  needs: { notes: NotesToken },
  examples: [{ input: { service: 'checkout-api' } }],
  async run({ service }, _context, { notes }) {
    return { notes: await notes.of(service) }
  }
})
