import { createToken, definePlugin, defineTool, type Knex, Type } from 'rayne'
import { AlertReceived } from 'rayne/contract/webhooks'

/** What other parts may ask of this plugin. */
export const NotesToken = createToken<{ of(service: string): Promise<{ text: string }[]> }>(
  'first-plugin.notes'
)

const Note = Type.Object({
  service: Type.String({ minLength: 1, maxLength: 100 }),
  text: Type.String({ minLength: 1, maxLength: 1000 })
})

const notesOfService = defineTool({
  name: 'notes_of_service',
  title: 'Notes of a service',
  effect: 'read',
  timeoutMs: 2_000,
  description:
    'What people noted about a service. Use it when a service alerts; it does not search the text.',
  input: Type.Object({ service: Type.String() }),
  output: Type.Object({ notes: Type.Array(Type.Object({ text: Type.String() })) }),
  needs: { notes: NotesToken },
  examples: [{ input: { service: 'checkout-api' } }],
  async run({ service }, _context, { notes }) {
    return { notes: await notes.of(service) }
  }
})

export default definePlugin({
  id: 'first-plugin',
  version: '1.0.0',
  provides: [NotesToken],
  migrations: [
    {
      name: '0001_notes',
      up: trx =>
        trx.raw(
          'create table first_plugin_notes (id bigint generated always as identity primary key, service text not null, text text not null, source text unique)'
        )
    }
  ],
  register(app) {
    const add = (db: Knex, note: { service: string; text: string; source?: string }) =>
      db('first_plugin_notes').insert(note).onConflict('source').ignore()
    const of = (service: string): Promise<{ text: string }[]> =>
      app.db('first_plugin_notes').where({ service }).select('text').orderBy('id')
    app.provide(NotesToken, { of })

    // A job is durable: enqueued in a transaction, it runs if and only if that transaction commits.
    const write = app.job('write', {
      payload: Note,
      run: async (note, job) => {
        await app.db.transaction(async trx => {
          await job.fence(trx)
          await add(trx, { ...note, source: job.id })
        })
      }
    })

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
      params: Type.Object({ service: Type.String() }),
      response: Type.Object({ notes: Type.Array(Type.Object({ text: Type.String() })) }),
      async handle({ params }) {
        return { notes: await of(params.service) }
      }
    })

    // At least once, so a unique source makes the second delivery do nothing.
    app.on(AlertReceived, async ({ event_id, alert }) => {
      if (alert.service)
        await add(app.db, {
          service: alert.service,
          text: `alerted: ${alert.title ?? alert.monitor_name ?? 'no title'}`,
          source: `alert-${event_id}`
        })
    })
    app.tool(notesOfService)
  }
})
