import { invalid, RayneError } from '../../../core/index.ts'
import type { AccountRow } from '../store.ts'
import { checkedKey } from './check-key.ts'
import { resolveSite } from './client/resolve-site.ts'
import { proxyErrors } from './errors.ts'

/**
 * What a caller may say of an account: `site` may be a pasted address, `orgId` and `orgName` null take the value
 * away.
 */
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
interface Beside {
  readonly isTaken?: ((name: string) => boolean) | undefined
  /** The account that changes. */
  readonly self?: AccountRow
}

const conflict = (field: string, message: string): RayneError =>
  new RayneError({
    code: proxyErrors['account-exists'],
    message,
    details: {
      errors: [{ pointer: `/body/${field}`, message: 'is taken' }]
    }
  })

/** Throws when an account cannot be, or become, what is asked beside those that are there. */
export function assertFits(
  rows: readonly AccountRow[],
  changes: AccountChanges,
  { isTaken = () => false, self }: Beside
): void {
  const others = rows.filter(row => row.id !== self?.id)
  const { name, orgId } = changes
  if (name !== undefined && (isTaken(name) || others.some(row => row.name === name)))
    throw conflict('name', `an account named '${name}' exists already`)
  const owner = orgId ? others.find(row => row.orgId === orgId) : undefined
  if (owner) throw conflict('org_id', `the account '${owner.name}' has the org_id ${orgId} already`)
  if (changes.isDefault === true && !(changes.active ?? self?.active ?? true))
    throw new RayneError({
      code: proxyErrors['account-inactive'],
      message:
        `the account '${name ?? self?.name}' is inactive, and alerts would have nowhere to go: ` +
        'activate it before it becomes the default'
    })
  if (changes.isDefault === false && self?.isDefault)
    throw new RayneError({
      code: proxyErrors['account-is-default'],
      message: `'${self.name}' is the default account: make another one the default instead`
    })
}

/** Every value a caller gave, normalised or refused before anything is written. */
export function checked(changes: AccountChanges): AccountChanges {
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

/**
 * Names stand in paths and in lists of names, so what has a meaning there is refused; `/v1/accounts/stats` is a
 * route.
 */
function checkedName(text: string): string {
  const name = text.trim()
  if (name === '' || name.length > 255 || /[\p{Cc}\p{Cs}/\\?#%*,]/u.test(name))
    throw badName('needs 1 to 255 characters without / \\ ? # % * , and control characters')
  if (['.', '..', 'stats'].includes(name))
    throw badName(`cannot be '${name}', which has a meaning of its own in a path`)
  return name
}
const badName = (reason: string): RayneError => invalid('/body/name', reason)
