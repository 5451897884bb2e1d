import type { Knex } from '../../../core/index.ts'

/** What is done with the events that match; an empty matcher matches all. */
export interface WebhookConfig {
  readonly id: number
  readonly name: string
  readonly url: string
  readonly use_custom_payload: boolean
  readonly custom_payload: string | null
  readonly forward_urls: readonly string[]
  readonly forward_format: 'signed' | 'raw'
  readonly auto_downtime: boolean
  readonly downtime_duration_minutes: number
  readonly downtime_statuses: readonly string[]
  readonly after_recovery: boolean
  readonly notify_enabled: boolean
  readonly notify_numbers: readonly string[]
  readonly active: boolean
  readonly accounts: readonly string[]
  readonly monitor_ids: readonly string[]
  readonly tags: readonly string[]
  readonly statuses: readonly string[]
  readonly created_at: Date
}
export type NewConfig = Omit<WebhookConfig, 'id' | 'created_at'>

/** A downtime that a config wants, or had made. */
export interface Downtime {
  readonly id: number
  readonly account: string
  readonly monitor_id: string
  readonly scope: string
  readonly minutes: number
  readonly state: 'wanted' | 'made' | 'over'
  readonly downtime_id: string | null
}

/** All SQL of configs and of the downtimes that came of them. */
export const configStore = {
  /** Undefined when the name is taken. */
  async create(db: Knex, config: NewConfig): Promise<WebhookConfig | undefined> {
    const [row] = await db('webhooks_configs')
      .insert(config)
      .onConflict('name')
      .ignore()
      .returning('*')
    return row && configOf(row)
  },
  async list(db: Knex, { active }: { readonly active: boolean }): Promise<WebhookConfig[]> {
    const rows = await db('webhooks_configs')
      .where(query => {
        if (active) query.where({ active })
      })
      .orderBy('id')
      .limit(1_000)
    return rows.map(configOf)
  },
  async find(db: Knex, id: number): Promise<WebhookConfig | undefined> {
    const row = await db('webhooks_configs').where({ id }).first()
    return row && configOf(row)
  },
  async named(db: Knex, name: string): Promise<WebhookConfig | undefined> {
    const row = await db('webhooks_configs').where({ name }).first()
    return row && configOf(row)
  },
  async change(db: Knex, id: number, changes: Partial<NewConfig>): Promise<void> {
    await db('webhooks_configs').where({ id }).update(changes)
  },
  async remove(db: Knex, id: number): Promise<boolean> {
    return (await db('webhooks_configs').where({ id }).delete()) > 0
  },

  /** The id of a downtime to make; undefined when there is a live one. */
  async wantDowntime(
    trx: Knex.Transaction,
    wanted: Pick<Downtime, 'account' | 'monitor_id' | 'scope' | 'minutes'> & {
      readonly configId: number
    }
  ): Promise<number | undefined> {
    const { configId, ...place } = wanted
    const { rows } = await trx.raw(
      `insert into webhooks_downtimes (config_id, account, monitor_id, scope, minutes, state)
      values (?, ?, ?, ?, ?, 'wanted')
      on conflict (config_id, account, monitor_id, scope) where state <> 'over' do nothing
      returning id`,
      [configId, place.account, place.monitor_id, place.scope, place.minutes]
    )
    return rows[0] && Number(rows[0].id)
  },
  /** Ends the live downtimes of a place; answers their ids. */
  async endDowntimes(
    trx: Knex.Transaction,
    place: Pick<Downtime, 'account' | 'monitor_id' | 'scope'>
  ): Promise<number[]> {
    const rows = await trx('webhooks_downtimes')
      .where(place)
      .whereNot({ state: 'over' })
      .update({ state: 'over' })
      .returning('id')
    return rows.map(row => Number(row.id))
  },
  async downtime(db: Knex, id: number): Promise<Downtime | undefined> {
    return db('webhooks_downtimes').where({ id }).first()
  },
  /** Remembers what Datadog calls it; answers its state, which a recovery may have changed meanwhile. */
  async downtimeMade(db: Knex, id: number, downtimeId: string): Promise<Downtime['state']> {
    const { rows } = await db.raw(
      `update webhooks_downtimes set downtime_id = ?,
        state = case when state = 'wanted' then 'made' else state end
      where id = ? returning state`,
      [downtimeId, id]
    )
    return rows[0].state
  }
}

const configOf = (row: WebhookConfig & { id: unknown }): WebhookConfig => ({
  ...row,
  id: Number(row.id)
})
