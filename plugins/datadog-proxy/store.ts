import type { Knex } from '../../core/index.ts'

/** One stored account; its keys are sealed. */
export interface AccountRow {
  readonly id: number
  readonly name: string
  /** Decimal digits. */
  readonly orgId: string | null
  readonly orgName: string | null
  readonly site: string
  readonly apiKeySealed: string
  readonly appKeySealed: string
  readonly isDefault: boolean
  readonly active: boolean
  readonly createdAt: Date
  readonly updatedAt: Date
}
export type AccountFields = Partial<
  Pick<
    AccountRow,
    'name' | 'orgId' | 'orgName' | 'site' | 'apiKeySealed' | 'appKeySealed' | 'isDefault' | 'active'
  >
>
/** The columns of one row that hold secrets, as `seal` names them. */
export type SealedColumn = 'api_key' | 'app_key'

const table = 'datadog_proxy_accounts'
const lockKey = 7_220_301
const rotationKey = 7_220_302

/** Where a sealed value belongs: it opens nowhere else. */
export const placeOf = (id: number, column: SealedColumn): string => `${table}:${id}:${column}`

/** All SQL of accounts. */
export const accountStore = {
  /** The default first, then by name. */
  async list(db: Knex): Promise<AccountRow[]> {
    return (
      await db(table)
        .select()
        .orderBy([{ column: 'is_default', order: 'desc' }, { column: 'name' }])
    ).map(rowOf)
  },
  /** One account, locked until the transaction ends. */
  async find(trx: Knex.Transaction, name: string): Promise<AccountRow | undefined> {
    const row = await trx(table).where({ name }).forUpdate().first()
    return row && rowOf(row)
  },
  /** Known before the row is, because the id is sealed with the keys. */
  async nextId(trx: Knex.Transaction): Promise<number> {
    const {
      rows: [row]
    } = await trx.raw("select nextval(pg_get_serial_sequence(?, 'id'))::int as id", [table])
    return row.id
  },
  async insert(trx: Knex.Transaction, id: number, fields: AccountFields): Promise<AccountRow> {
    const [row] = await trx(table)
      .insert({ id, ...columnsOf(fields) })
      .returning('*')
    return rowOf(row)
  },
  async update(trx: Knex.Transaction, id: number, fields: AccountFields): Promise<AccountRow> {
    const [row] = await trx(table)
      .where({ id })
      .update({ ...columnsOf(fields), updated_at: trx.fn.now() })
      .returning('*')
    return rowOf(row)
  },
  async remove(trx: Knex.Transaction, id: number): Promise<void> {
    await trx(table).where({ id }).delete()
  },
  /** Takes the default away from whoever has it, so that another row may have it. */
  async clearDefault(trx: Knex.Transaction): Promise<void> {
    await trx(table)
      .where({ is_default: true })
      .update({ is_default: false, updated_at: trx.fn.now() })
  },
  /**
   * One writer of accounts at a time, and none while a rotation changes keys: uniqueness and the default are decided
   * by rows just read.
   */
  async lockWrites(trx: Knex.Transaction): Promise<void> {
    await trx.raw('select pg_advisory_xact_lock(?)', [lockKey])
  },
  /** False when another process rotates; held until the transaction ends. */
  async lockRotation(trx: Knex.Transaction): Promise<boolean> {
    const {
      rows: [row]
    } = await trx.raw('select pg_try_advisory_xact_lock(?) as locked', [rotationKey])
    return row.locked
  },
  /** Rows with a value that another key sealed, locked. */
  async sealedOtherwise(
    trx: Knex.Transaction,
    keyId: string,
    limit: number
  ): Promise<AccountRow[]> {
    const own = `v1.${keyId}.%`
    const rows = await trx(table)
      .whereNot('api_key_sealed', 'like', own)
      .orWhereNot('app_key_sealed', 'like', own)
      .orderBy('id')
      .limit(limit)
      .forUpdate()
    return rows.map(rowOf)
  },
  /** Replaces sealed values by the same ones under another key; the account itself has not changed. */
  async reseal(
    trx: Knex.Transaction,
    id: number,
    fields: Pick<AccountRow, 'apiKeySealed' | 'appKeySealed'>
  ): Promise<void> {
    await trx(table).where({ id }).update(columnsOf(fields))
  }
}

const names = {
  name: 'name',
  orgId: 'org_id',
  orgName: 'org_name',
  site: 'site',
  apiKeySealed: 'api_key_sealed',
  appKeySealed: 'app_key_sealed',
  isDefault: 'is_default',
  active: 'active'
} as const
const columnsOf = (fields: AccountFields): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(names).flatMap(([field, column]) =>
      fields[field as keyof AccountFields] === undefined
        ? []
        : [[column, fields[field as keyof AccountFields]]]
    )
  )

interface Row {
  id: number
  name: string
  org_id: string | null
  org_name: string | null
  site: string
  api_key_sealed: string
  app_key_sealed: string
  is_default: boolean
  active: boolean
  created_at: Date
  updated_at: Date
}
const rowOf = (row: Row): AccountRow => ({
  id: row.id,
  name: row.name,
  orgId: row.org_id,
  orgName: row.org_name,
  site: row.site,
  apiKeySealed: row.api_key_sealed,
  appKeySealed: row.app_key_sealed,
  isDefault: row.is_default,
  active: row.active,
  createdAt: row.created_at,
  updatedAt: row.updated_at
})
