import type { Migration } from '../../../core/index.ts'

/** A thread is one problem while it lasts; a post is its message in one channel; an attempt is one try to send it. */
export const messages: Migration = {
  name: '0001_messages',
  async up(trx) {
    await trx.schema.createTable('notify_threads', table => {
      table.bigIncrements('id')
      table.text('key').notNullable()
      table.integer('revision').notNullable()
      table.jsonb('message').notNullable()
      table.jsonb('facts').notNullable()
      table.integer('alerts').notNullable().defaultTo(0)
      table.timestamp('opened_at').notNullable().defaultTo(trx.fn.now())
      table.timestamp('closed_at')
    })
    await trx.raw('create unique index on notify_threads (key) where closed_at is null')
    await trx.raw('create index on notify_threads (key, id)')
    await trx.schema.createTable('notify_posts', table => {
      table
        .bigInteger('thread_id')
        .notNullable()
        .references('notify_threads.id')
        .onDelete('CASCADE')
      table.text('channel').notNullable()
      table.text('reference')
      table.integer('revision').notNullable()
      table.primary(['thread_id', 'channel'])
    })
    await trx.schema.createTable('notify_deliveries', table => {
      table.bigIncrements('id')
      table
        .bigInteger('thread_id')
        .notNullable()
        .references('notify_threads.id')
        .onDelete('CASCADE')
      table.text('channel').notNullable()
      table.integer('revision').notNullable()
      table.text('state').notNullable()
      table.integer('attempts').notNullable().defaultTo(0)
      table.text('reason')
      table.timestamp('next_at')
      table.timestamp('created_at').notNullable().defaultTo(trx.fn.now())
      table.timestamp('ended_at')
      table.unique(['thread_id', 'channel', 'revision'])
    })
    await trx.raw('create index on notify_deliveries (channel, ended_at)')
  }
}
