import { RayneError, registerSecret, type Knex } from '../../../core/index.ts'
import { accountStore, placeOf, type AccountFields, type AccountRow } from '../store.ts'
import { assertFits, checked, type AccountChanges, type NewAccount } from './check-changes.ts'
import { proxyErrors } from './errors.ts'
import { keepFresh } from './keep-fresh.ts'
import { seal, unseal, type KeyRing } from './seal.ts'

export interface AccountKeys {
  readonly apiKey: string
  readonly appKey: string
}

/** Another process's write is seen after at most this long, one's own at once. */
const keepMs = 1_000

interface Needs {
  readonly db: Knex
  readonly ring: KeyRing
  /** Names of accounts that are not stored. */
  readonly isTaken?: (name: string) => boolean
}
interface Store extends Needs {
  readonly fresh: ReturnType<typeof keepFresh<readonly AccountRow[]>>
  /** Runs a write with all rows in hand and no other writer; what it leaves is seen here at once. */
  write<T>(run: (trx: Knex.Transaction, rows: readonly AccountRow[]) => Promise<T>): Promise<T>
}

/** The stored accounts as one process knows them. */
export function createAccounts(needs: Needs) {
  const { db } = needs
  const fresh = keepFresh<readonly AccountRow[]>(() => accountStore.list(db), keepMs)
  const store: Store = {
    ...needs,
    fresh,
    write: run =>
      db
        .transaction(async trx => {
          await accountStore.lockWrites(trx)
          return run(trx, await accountStore.list(trx))
        })
        .finally(fresh.forget)
  }
  return {
    list: fresh.get,
    forget: fresh.forget,
    /** The keys of a row, opened. */
    keys: (row: AccountRow) => keysOf(store, row),
    find: async (name: string): Promise<AccountRow> => found(await fresh.get(), name),
    /** The first account becomes the default. */
    create: (account: NewAccount): Promise<AccountRow> =>
      store.write((trx, rows) => insert(store, trx, rows, account)),
    /** Stores an account when there is none at all; undefined when there is one. */
    seed: (account: NewAccount): Promise<AccountRow | undefined> =>
      store.write(async (trx, rows) =>
        rows.length > 0 ? undefined : insert(store, trx, rows, account)
      ),
    update: (name: string, given: AccountChanges) => update(store, name, given),
    /** The default account goes last: without it alerts would have nowhere to go while there are others. */
    remove: (name: string) => remove(store, name)
  }
}
export type Accounts = ReturnType<typeof createAccounts>

/** A row that was sealed anew meanwhile, by a rotation of another process, is read again. */
async function keysOf({ ring, fresh }: Store, row: AccountRow): Promise<AccountKeys> {
  try {
    return opened(ring, row)
  } catch (error) {
    if (!(error instanceof RayneError && error.code === 'secret-unreadable')) throw error
    fresh.forget()
    const again = (await fresh.get()).find(one => one.id === row.id)
    const isSame =
      again?.apiKeySealed === row.apiKeySealed && again.appKeySealed === row.appKeySealed
    if (!again || isSame) throw error
    return opened(ring, again)
  }
}

async function insert(
  { ring, isTaken }: Store,
  trx: Knex.Transaction,
  rows: readonly AccountRow[],
  given: NewAccount
): Promise<AccountRow> {
  const account = checked(given)
  assertFits(rows, account, { isTaken })
  const isDefault = rows.length === 0 || account.isDefault === true
  const id = await accountStore.nextId(trx)
  const fields = sealed(ring, id, account)
  if (isDefault) await accountStore.clearDefault(trx)
  return accountStore.insert(trx, id, { ...fields, isDefault })
}

const update = (
  { ring, isTaken, write }: Store,
  name: string,
  given: AccountChanges
): Promise<AccountRow> =>
  write(async (trx, rows) => {
    const row = found(rows, name)
    const changes = checked(given)
    assertFits(rows, changes, { isTaken, self: row })
    const fields = sealed(ring, row.id, changes)
    if (changes.isDefault && !row.isDefault) await accountStore.clearDefault(trx)
    return accountStore.update(trx, row.id, fields)
  })

const remove = ({ write }: Store, name: string): Promise<void> =>
  write(async (trx, rows) => {
    const row = found(rows, name)
    if (row.isDefault && rows.length > 1)
      throw new RayneError({
        code: proxyErrors['default-account-kept'],
        message:
          `cannot delete default account '${name}': ` +
          'make another one the default first, or deactivate this one'
      })
    await accountStore.remove(trx, row.id)
  })

function found(rows: readonly AccountRow[], name: string): AccountRow {
  const row = rows.find(one => one.name === name)
  if (!row)
    throw new RayneError({
      code: proxyErrors['account-not-found'],
      message: `account not found: ${name}`
    })
  return row
}

function sealed(
  ring: KeyRing,
  id: number,
  { apiKey, appKey, ...rest }: AccountChanges
): AccountFields {
  for (const secret of [apiKey, appKey]) registerSecret(secret)
  // Asked once and inside the transaction, so that both keys of a row are sealed alike and no rotation comes between.
  const key = apiKey === undefined && appKey === undefined ? undefined : ring.current()
  return {
    ...rest,
    ...(key && apiKey !== undefined
      ? { apiKeySealed: seal(key, apiKey, placeOf(id, 'api_key')) }
      : {}),
    ...(key && appKey !== undefined
      ? { appKeySealed: seal(key, appKey, placeOf(id, 'app_key')) }
      : {})
  }
}

function opened(ring: KeyRing, row: AccountRow): AccountKeys {
  const keys = {
    apiKey: unseal(ring, row.apiKeySealed, placeOf(row.id, 'api_key')),
    appKey: unseal(ring, row.appKeySealed, placeOf(row.id, 'app_key'))
  }
  for (const secret of Object.values(keys)) registerSecret(secret)
  return keys
}
