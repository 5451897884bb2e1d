import { errorText } from '../../core/index.ts'
import { DatadogError, type DatadogService } from './contract.ts'

interface Verdict { readonly ok: boolean; readonly detail: string; readonly fix?: string }

const keepMs = { ok: 60_000, failed: 15_000 }

/** A probe that says whether the default account works; a verdict is kept for a while because each costs two requests. */
export function createCheck(service: DatadogService, now: () => number = Date.now) {
  let kept: { verdict: Verdict; until: number } | undefined
  return async (signal: AbortSignal): Promise<Verdict> => {
    if (kept && now() < kept.until) return kept.verdict
    const verdict = await ask(service, signal)
    kept = { verdict, until: now() + (verdict.ok ? keepMs.ok : keepMs.failed) }
    return verdict
  }
}

async function ask(service: DatadogService, signal: AbortSignal): Promise<Verdict> {
  const listed = (await service.list()).find(account => account.isDefault)
  if (!listed) return { ok: false, detail: 'no Datadog account', fix: 'set DD_API_KEY, DD_APP_KEY and, outside US1, DD_SITE' }
  const called = `account '${listed.name}' (${listed.simulated ? 'SIMULATED' : listed.site})`
  try {
    await (await service.account(listed.name)).validate({ signal, timeoutMs: 10_000 })
    return { ok: true, detail: `${called} works` }
  } catch (error) {
    if (signal.aborted) throw error
    const forbidden = error instanceof DatadogError && error.failure === 'forbidden'
    return { ok: false, detail: `${called}: ${errorText(error)}`, fix: forbidden ? 'check DD_API_KEY, DD_APP_KEY and DD_SITE: all three belong to one organisation' : 'check that this machine reaches Datadog, then try again' }
  }
}
