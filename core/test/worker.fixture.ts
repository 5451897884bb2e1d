import { createApp } from '../app.ts'
import { readSettings } from '../config.ts'
import { definePlugin, Type } from '../index.ts'
import { createLogger } from '../log.ts'

/** The plugin both processes of the test run: a row for every try, and an end only where `TRY_ENDS` says so. */
export const plugin = definePlugin({
  id: 'tries',
  version: '1.0.0',
  migrations: [
    {
      name: '0001_tries',
      up: trx =>
        trx.raw(
          'create table tries (n int not null, attempt int not null, pid int not null, done_at timestamptz)'
        )
    }
  ],
  register(app) {
    app.job('try', {
      payload: Type.Object({ n: Type.Integer() }),
      async run({ n }, { attempt, fence }) {
        await app.db('tries').insert({ n, attempt, pid: process.pid })
        if (process.env['TRY_ENDS'] === 'never') await new Promise(() => {})
        await app.db.transaction(async trx => {
          await fence(trx)
          await trx('tries').where({ n, pid: process.pid }).update({ done_at: new Date() })
        })
      }
    })
  }
})

const connection = process.env['TRY_CONNECTION']
if (connection) {
  const environment = { RAYNE_ROLE: 'worker' }
  await createApp({
    settings: readSettings(environment),
    environment,
    connection: JSON.parse(connection),
    plugins: [plugin],
    log: createLogger({ level: 'warn' }),
    version: '0'
  })
  console.log('working')
}
