import type { Knex } from '../../../core/index.ts'
import type { Alert, AlertReceived, ForwardDue } from '../contract.ts'
import { configStore, type WebhookConfig } from '../store/configs.ts'
import { eventStore } from '../store/events.ts'

/** What acting on alerts needs of the platform. */
export interface Acting {
  readonly forward: (trx: Knex.Transaction, due: ForwardDue) => Promise<void>
  readonly downtime: (trx: Knex.Transaction, downtimeId: number) => Promise<void>
}
type Matchers = Pick<WebhookConfig, 'accounts' | 'monitor_ids' | 'tags' | 'statuses'>

/** A header of what was forwarded: it is not forwarded again, so that nothing goes round in circles. */
const forwardedHeader = 'x-rayne-forwarded'

const rememberedMs = 1_000

/** Whether a config is about an alert; an empty matcher matches all. */
export function matches(config: Matchers, account: string | null, alert: Alert): boolean {
  const has = (wanted: readonly string[], value: string | null): boolean =>
    wanted.length === 0 || (value !== null && wanted.includes(value))
  return (
    has(config.accounts, account) &&
    has(config.monitor_ids, alert.monitor_id) &&
    has(config.statuses, alert.status) &&
    (config.tags.length === 0 || config.tags.some(tag => alert.tags.includes(tag)))
  )
}

/** Puts in line what the configs want done with an event: forwarding, and downtimes that begin and end. */
export function createActing({ forward, downtime }: Acting) {
  let known: { readonly configs: readonly WebhookConfig[]; readonly until: number } | undefined
  /** Read within the transaction: whoever holds a connection asks for no other one. */
  async function activeConfigs(trx: Knex.Transaction): Promise<readonly WebhookConfig[]> {
    const now = performance.now()
    if (known && known.until > now) return known.configs
    const configs = await configStore.list(trx, { active: true })
    known = { configs, until: now + rememberedMs }
    return configs
  }

  async function forwardAll(
    trx: Knex.Transaction,
    config: WebhookConfig,
    eventId: number
  ): Promise<void> {
    if (config.forward_urls.length === 0) return
    const body = await eventStore.body(trx, eventId)
    if (!body || body.headers[forwardedHeader] !== undefined) return
    for (const url of config.forward_urls)
      await forward(trx, {
        config_id: config.id,
        event_id: eventId,
        url,
        format: config.forward_format
      })
  }

  return {
    /** Configs that were just changed hold at once, in this process. */
    forget(): void {
      known = undefined
    },
    async act(trx: Knex.Transaction, received: AlertReceived): Promise<void> {
      const { account, alert, event_id: eventId } = received
      const configs = await activeConfigs(trx)
      const place = placeOf(account, alert)
      if (!alert.firing && place && configs.some(each => each.auto_downtime))
        for (const id of await configStore.endDowntimes(trx, place)) await downtime(trx, id)
      for (const config of configs) {
        if (!matches(config, account, alert)) continue
        await forwardAll(trx, config, eventId)
        if (!place || !wantsDowntime(config, alert)) continue
        const minutes = config.downtime_duration_minutes
        const id = await configStore.wantDowntime(trx, { ...place, minutes, configId: config.id })
        if (id !== undefined) await downtime(trx, id)
      }
    }
  }
}
export type ActOnAlert = ReturnType<typeof createActing>

const wantsDowntime = (config: WebhookConfig, { firing, status }: Alert): boolean =>
  config.auto_downtime &&
  (config.after_recovery ? !firing : firing && config.downtime_statuses.includes(status))

/** Where a downtime would be; never everywhere. */
function placeOf(account: string | null, { monitor_id: monitor, scope }: Alert) {
  const bound = (scope ?? '')
    .replace(/^\{(.*)\}$/, '$1')
    .split(',')
    .map(each => each.trim())
    .filter(each => each !== '' && each !== '*')
    .join(' AND ')
  if (account === null || monitor === null || bound === '') return undefined
  return { account, monitor_id: monitor, scope: bound }
}
