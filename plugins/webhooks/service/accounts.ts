import { notFound } from '../../../core/index.ts'
import type { DatadogService } from '../../datadog-proxy/contract.ts'

// A tenth of a second: long enough to spare a flood of alerts its look-ups, too short for a person to notice.
const rememberedMs = 100
const maxRemembered = 1_000

/** Finds the account of a webhook: name of the path (404 when unknown) → organisation → default → none. */
export function createAccountFinder(
  datadog: DatadogService | undefined
): (name: string | undefined, orgId: string | null) => Promise<string | null> {
  const remembered = new Map<string, { found: Promise<string | null>; until: number }>()

  async function ask(name: string | undefined, orgId: string | null): Promise<string | null> {
    if (name !== undefined && (name.length > 255 || name.includes('\0')))
      throw notFound('account', 'of such a name', 'GET /v1/accounts')
    if (!datadog) return name ?? null
    if (name !== undefined) return (await datadog.account(name)).name
    const owner = orgId === null ? undefined : await datadog.accountOfOrg(orgId)
    if (owner) return owner.name
    return (await datadog.list()).find(account => account.isDefault)?.name ?? null
  }

  return (name, orgId) => {
    const key = name === undefined ? `org ${orgId ?? ''}` : `name ${name}`
    const now = performance.now()
    const known = remembered.get(key)
    if (known && known.until > now) return known.found
    if (remembered.size >= maxRemembered) remembered.clear()
    const found = ask(name, orgId)
    remembered.set(key, { found, until: now + rememberedMs })
    // A failure is told to those who waited for it, and the next one asks again.
    found.catch(() => remembered.delete(key))
    return found
  }
}
