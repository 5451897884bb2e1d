import { invalid, RayneError, registerSecret, type Knex } from '../../../core/index.ts'
import { resolveSite } from './client/resolve-site.ts'
import { seal, unseal, type KeyRing } from './seal.ts'
import { accountStore, placeOf, type AccountFields, type AccountRow } from '../store.ts'
import { checkedKey } from './check-key.ts'
import { keepFresh } from './keep-fresh.ts'
import { proxyErrors } from './errors.ts'

/** What a caller may say of an account: `site` may be a pasted address, `orgId` and `orgName` null take the value away. */
export interface AccountChanges {
  readonly name?: string
  readonly apiKey?: string
  readonly appKey?: string
  readonly site?: string
  readonly orgId?: string | null
  readonly orgName?: string | null
  readonly isDefault?: boolean
  readonly active?: boolean
}
export type NewAccount = AccountChanges &
  Required<Pick<AccountChanges, 'name' | 'apiKey' | 'appKey' | 'site'>>
export interface AccountKeys {
  readonly apiKey: string
  readonly appKey: string
}

/** Another process's write is seen after at most this long, one's own at once. */
const keepMs = 1_000

/** The stored accounts as one process knows them; `isTaken` names those that are not stored. */
export function createAccounts({
  db,
  ring,
  isTaken = () => false
}: {
  db: Knex
  ring: KeyRing
  isTaken?: (name: string) => boolean
}) {
  const fresh = keepFresh<readonly AccountRow[]>(() => accountStore.list(db), keepMs)

  /** Runs a write with all rows in hand and no other writer; what it leaves is seen here at once. */
  const write = <T>(
    run: (trx: Knex.Transaction, rows: readonly AccountRow[]) => Promise<T>
  ): Promise<T> =>
    db
      .transaction(async trx => {
        await accountStore.lockWrites(trx)
        return run(trx, await accountStore.list(trx))
      })
      .finally(fresh.forget)

  const refuse = (
    rows: readonly AccountRow[],
    changes: AccountChanges,
    self?: AccountRow
  ): void => {
    if (
      changes.name !== undefined &&
      (isTaken(changes.name) || rows.some(row => row.id !== self?.id && row.name === changes.name))
    )
      throw conflict('name', `an account named '${changes.name}' exists already`)
    const owner = changes.orgId
      ? rows.find(row => row.id !== self?.id && row.orgId === changes.orgId)
      : undefined
    if (owner)
      throw conflict(
        'org_id',
        `the account '${owner.name}' has the org_id ${changes.orgId} already`
      )
    if (changes.isDefault === true && !(changes.active ?? self?.active ?? true))
      throw new RayneError({
        code: proxyErrors['account-inactive'],
        message:
          `the account '${changes.name ?? self?.name}' is inactive, and alerts would have nowhere to go: ` +
          'activate it before it becomes the default'
      })
    if (changes.isDefault === false && self?.isDefault)
      throw new RayneError({
        code: proxyErrors['account-is-default'],
        message: `'${self.name}' is the default account: make another one the default instead`
      })
  }

  async function insert(
    trx: Knex.Transaction,
    rows: readonly AccountRow[],
    given: NewAccount
  ): Promise<AccountRow> {
    const account = checked(given)
    refuse(rows, account)
    const isDefault = rows.length === 0 || account.isDefault === true
    const id = await accountStore.nextId(trx)
    const fields = sealed(ring, id, account)
    if (isDefault) await accountStore.clearDefault(trx)
    return accountStore.insert(trx, id, { ...fields, isDefault })
  }

  return {
    list: fresh.get,
    forget: fresh.forget,
    /** The keys of a row; one that was sealed anew meanwhile, by a rotation of another process, is read again. */
    async keys(row: AccountRow): Promise<AccountKeys> {
      try {
        return opened(ring, row)
      } catch (error) {
        if (!(error instanceof RayneError && error.code === 'secret-unreadable')) throw error
        fresh.forget()
        const again = (await fresh.get()).find(one => one.id === row.id)
        if (
          !again ||
          (again.apiKeySealed === row.apiKeySealed && again.appKeySealed === row.appKeySealed)
        )
          throw error
        return opened(ring, again)
      }
    },
    find: async (name: string): Promise<AccountRow> => found(await fresh.get(), name),
    /** The first account becomes the default. */
    create: (account: NewAccount): Promise<AccountRow> =>
      write((trx, rows) => insert(trx, rows, account)),
    /** Stores an account when there is none at all; undefined when there is one. */
    seed: (account: NewAccount): Promise<AccountRow | undefined> =>
      write(async (trx, rows) => (rows.length > 0 ? undefined : insert(trx, rows, account))),
    update: (name: string, given: AccountChanges): Promise<AccountRow> =>
      write(async (trx, rows) => {
        const row = found(rows, name)
        const changes = checked(given)
        refuse(rows, changes, row)
        const fields = sealed(ring, row.id, changes)
        if (changes.isDefault && !row.isDefault) await accountStore.clearDefault(trx)
        return accountStore.update(trx, row.id, fields)
      }),
    remove: (name: string): Promise<void> =>
      write(async (trx, rows) => {
        const row = found(rows, name)
        if (row.isDefault)
          throw new RayneError({
            code: proxyErrors['default-account-kept'],
            message:
              `cannot delete default account '${name}': ` +
              'make another one the default first, or deactivate this one'
          })
        await accountStore.remove(trx, row.id)
      })
  }
}
export type Accounts = ReturnType<typeof createAccounts>

function found(rows: readonly AccountRow[], name: string): AccountRow {
  const row = rows.find(one => one.name === name)
  if (!row)
    throw new RayneError({
      code: proxyErrors['account-not-found'],
      message: `account not found: ${name}`
    })
  return row
}

const conflict = (field: string, message: string): RayneError =>
  new RayneError({
    code: proxyErrors['account-exists'],
    message,
    details: {
      errors: [{ pointer: `/body/${field}`, message: 'is taken' }]
    }
  })

/** Every value a caller gave, normalised or refused before anything is written. */
function checked(changes: AccountChanges): AccountChanges {
  const pasted = [changes.apiKey, changes.appKey].find(
    key => key && key.length >= 8 && `${changes.name ?? ''}\n${changes.orgName ?? ''}`.includes(key)
  )
  if (pasted !== undefined)
    throw new RayneError({
      code: 'invalid-input',
      message:
        'a key stands in the name of the account, where everybody could read it: nothing was stored'
    })
  return {
    ...changes,
    ...(changes.name === undefined ? {} : { name: checkedName(changes.name) }),
    ...(changes.apiKey === undefined ? {} : { apiKey: checkedKey(changes.apiKey, 'API key') }),
    ...(changes.appKey === undefined
      ? {}
      : { appKey: checkedKey(changes.appKey, 'application key') }),
    ...(changes.site === undefined ? {} : { site: resolveSite(changes.site) })
  }
}

/** Names stand in paths and in lists of names, so what has a meaning there is refused; `/v1/accounts/stats` is a route. */
function checkedName(text: string): string {
  const name = text.trim()
  if (name === '' || name.length > 255 || /[\p{Cc}/\\?#%*,]/u.test(name))
    throw badName('needs 1 to 255 characters without / \\ ? # % * , and control characters')
  if (['.', '..', 'stats'].includes(name))
    throw badName(`cannot be '${name}', which has a meaning of its own in a path`)
  return name
}
const badName = (reason: string): RayneError => invalid('/body/name', reason)

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
