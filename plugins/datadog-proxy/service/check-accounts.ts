import { epochMs, errorText, nowMs } from '../../../core/index.ts'
import { DatadogError, type CallOptions } from '../contract.ts'
import type { OpenAccount } from './client/account.ts'
import type { Datadog } from './datadog.ts'

interface Verdict {
  readonly ok: boolean
  readonly detail: string
  readonly fix?: string
}
type Probe = (signal: AbortSignal) => Promise<Verdict>

const unreached = 'check that this machine reaches Datadog, then try again'
const keepMs = { ok: 60_000, failed: 15_000 }
/** Shorter than the platform's own limit of 5 s, so that what did answer is told. */
const probeMs = 4_000

/**
 * A probe that says whether the default account works; a verdict is kept for a while because each costs two requests.
 */
export function createCheck(service: Datadog, now: () => number = Date.now): Probe {
  return kept(signal => ask(service, signal), now)
}

/** A probe that says which Datadog permission an account lacks, and what fails without it. */
export function createPermissionCheck(
  name: string,
  open: () => Promise<OpenAccount>,
  now: () => number = Date.now
): Probe {
  return kept(signal => askPermissions(name, open, signal), now)
}

function kept(run: Probe, now: () => number): Probe {
  let last: { verdict: Verdict; until: number } | undefined
  return async signal => {
    if (last && now() < last.until) return last.verdict
    const verdict = await run(signal)
    last = { verdict, until: now() + (verdict.ok ? keepMs.ok : keepMs.failed) }
    return verdict
  }
}

async function ask(service: Datadog, signal: AbortSignal): Promise<Verdict> {
  const listed = (await service.list()).find(account => account.isDefault)
  if (!listed)
    return {
      ok: false,
      detail: 'no Datadog account',
      fix: 'set DD_API_KEY, DD_APP_KEY and, outside US1, DD_SITE, or add an account with POST /v1/accounts'
    }
  const called = `account '${listed.name}' (${listed.simulated ? 'SIMULATED' : listed.site})`
  try {
    await (await service.account(listed.name)).validate({ signal, timeoutMs: 10_000 })
    return { ok: true, detail: `${called} works` }
  } catch (error) {
    if (signal.aborted) throw error
    const forbidden = error instanceof DatadogError && error.failure === 'forbidden'
    return {
      ok: false,
      detail: `${called}: ${errorText(error)}`,
      fix: forbidden
        ? 'check the keys and the site: all three belong to one organisation. PUT ' +
          `/v1/accounts/${listed.name} changes them; the first account came from ` +
          'DD_API_KEY, DD_APP_KEY and DD_SITE'
        : unreached
    }
  }
}

interface Need {
  readonly permission: string
  /** What fails without it. */ readonly uses: string
  read(account: OpenAccount, options: CallOptions): Promise<unknown>
}

const recent = () => {
  const to = nowMs()
  return { from: epochMs(to - 5 * 60_000), to }
}

/** Every kind of read the product makes, with the least it can ask for. */
const needs: readonly Need[] = [
  {
    permission: 'monitors_read',
    uses: "the analysis' monitor and /v1/monitors",
    read: (account, options) => account.monitors({ limit: 1 }, options)
  },
  {
    permission: 'events_read',
    uses: "the analysis' changes and /v1/events",
    read: (account, options) => account.events({ query: '*', window: recent(), limit: 1 }, options)
  },
  {
    permission: 'logs_read_data',
    uses: "the analysis' logs and /v1/logs/search",
    read: (account, options) =>
      account.logs({ query: '*', window: recent(), limit: 1, tier: 'indexes' }, options)
  },
  {
    permission: 'timeseries_query',
    uses: "the analysis' metric",
    read: (account, options) =>
      account.metric({ query: 'avg:datadog.agent.running{*}', window: recent() }, options)
  },
  {
    permission: 'hosts_read',
    uses: "the analysis' hosts and /v1/hosts",
    read: (account, options) => account.hosts({ filter: '', limit: 1 }, options)
  },
  {
    permission: 'notebooks_read',
    uses: 'finding the notebook of an analysis',
    read: (account, options) => account.findNotebook('rayne doctor looks for nothing', options)
  },
  {
    permission: 'monitors_downtime',
    uses: '/v1/downtimes',
    read: (account, options) => account.downtimes({ limit: 1 }, options)
  },
  {
    permission: 'apm_read',
    uses: 'spans',
    read: (account, options) => account.spans({ query: '*', window: recent(), limit: 1 }, options)
  },
  {
    permission: 'apm_service_catalog_read',
    uses: '/v1/services',
    read: (account, options) => account.services({ limit: 1 }, options)
  }
]
const untried =
  'notebooks_write, events and downtimes to be written, apm_service_catalog_write and ' +
  'manage_integrations are not tried, because trying them would write'

async function askPermissions(
  name: string,
  open: () => Promise<OpenAccount>,
  signal: AbortSignal
): Promise<Verdict> {
  const account = await open()
  const options = { signal, timeoutMs: probeMs }
  const wrong = (await account.checkKeys(options)).find(check => !check.ok)
  if (wrong)
    return {
      ok: false,
      detail: wrong.message,
      fix:
        wrong.failure === 'forbidden'
          ? `PUT /v1/accounts/${name} with keys that belong to one organisation on ` +
            `${account.site}; POST /v1/accounts/${name}/test tries them`
          : unreached
    }
  const outcomes = await Promise.all(
    needs.map(async need => ({ need, failure: await failureOf(need, account, options) }))
  )
  const missing = outcomes
    .filter(one => one.failure === 'forbidden')
    .map(({ need }) => `${need.permission} (${need.uses})`)
  const unknown = outcomes
    .filter(one => one.failure !== undefined && one.failure !== 'forbidden')
    .map(({ need, failure }) => `${need.permission} (${failure})`)
  const works = needs.length - missing.length - unknown.length
  const detail = [
    missing.length > 0 ? `the application key lacks ${missing.join(', ')}` : '',
    unknown.length > 0 ? `not known: ${unknown.join(', ')}` : '',
    `${works} of ${needs.length} reads work on ${account.site}; ${untried}`
  ]
    .filter(Boolean)
    .join('; ')
  if (missing.length > 0)
    return {
      ok: false,
      detail,
      fix:
        'give the application key these scopes, and its owner a role that has them: ' +
        'Organization Settings → Application Keys in Datadog'
    }
  return unknown.length > 0 ? { ok: false, detail, fix: unreached } : { ok: true, detail }
}

/** Why a read failed; a wrong question is none of the key's faults. */
async function failureOf(
  need: Need,
  account: OpenAccount,
  options: CallOptions
): Promise<string | undefined> {
  try {
    await need.read(account, options)
    return undefined
  } catch (error) {
    const failure = error instanceof DatadogError ? error.failure : errorText(error)
    return failure === 'invalid' || failure === 'not_found' ? undefined : failure
  }
}
