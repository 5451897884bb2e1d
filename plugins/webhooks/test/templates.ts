import { gzipSync } from 'node:zlib'

/** One change of one monitor on one host, as Datadog would know it. */
export interface Change {
  readonly monitorId: string
  readonly monitor: string
  readonly host: string
  readonly service: string
  readonly transition: 'Triggered' | 'Warn' | 'Recovered' | 'No Data'
  /** Epoch milliseconds. */
  readonly at: number
  readonly cycleKey: string
  readonly eventId: string
}
/** A body as one sender writes it. */
export interface Delivery {
  readonly body: string | Uint8Array
  readonly headers: Record<string, string>
}

const json = { 'content-type': 'application/json' }
const form = { 'content-type': 'application/x-www-form-urlencoded' }
const asJson = (body: object): Delivery => ({ body: JSON.stringify(body), headers: json })
const title = ({ transition, host, monitor }: Change): string =>
  `[${transition} on {host:${host}}] ${monitor}`
const tags = ({ host, service }: Change): string => `env:prod,host:${host},service:${service}`

/** The message Datadog itself appends, with the monitor and its group in words only. */
const prose = ({ monitorId, host, monitor }: Change): string =>
  [
    `%%%\n${monitor}`,
    `**system.load.1** over **host:${host}** was **> 1** on average during the **last 5m**.`,
    '- - -',
    `[[Monitor Status](https://app.example.com/monitors/${monitorId})]\n%%%`
  ].join('\n\n')

/** Twelve ways in which senders write an alert, made up after templates that public integrations ask for. */
export const templates: Readonly<Record<string, (change: Change) => Delivery>> = {
  'Datadog default': change =>
    asJson({
      body: prose(change),
      last_updated: String(change.at),
      event_type: 'query_alert_monitor',
      title: title(change),
      date: String(change.at),
      org: { id: '4711', name: 'example' },
      id: change.eventId
    }),
  'flat, every variable': change =>
    asJson({
      id: change.eventId,
      alert_id: change.monitorId,
      alert_title: change.monitor,
      alert_transition: change.transition,
      alert_cycle_key: change.cycleKey,
      alert_scope: `host:${change.host}`,
      hostname: change.host,
      tags: tags(change),
      date: String(change.at)
    }),
  'flat, without an event id': change =>
    asJson({
      monitor_id: Number(change.monitorId),
      monitor_name: change.monitor,
      alert_status: { Triggered: 'Alert', Recovered: 'OK', Warn: 'Warn', 'No Data': 'No Data' }[
        change.transition
      ],
      hostname: change.host,
      service: change.service,
      timestamp: Math.floor(change.at / 1000)
    }),
  'without event id and time': change =>
    asJson({
      monitor: change.monitor,
      monitor_id: change.monitorId,
      state: change.transition,
      host: change.host,
      service: change.service
    }),
  'alert inside': change =>
    asJson({
      body: change.monitor,
      title: change.monitor,
      date: String(change.at),
      id: change.eventId,
      tags: tags(change),
      alert: {
        id: change.monitorId,
        transition: change.transition,
        cycleId: change.cycleKey,
        scope: `host:${change.host}`,
        status: ''
      }
    }),
  'alert and event inside': change =>
    asJson({
      title: title(change),
      alert: {
        alert_id: change.monitorId,
        alert_transition: change.transition,
        alert_scope: `host:${change.host}`
      },
      event: { event_id: change.eventId, aggreg_key: change.cycleKey, tags: tags(change) }
    }),
  'metadata in upper case': change =>
    asJson({
      title: `${change.monitor} on ${change.host}`,
      id: change.eventId,
      metadata: {
        ALERT_ID: change.monitorId,
        ALERT_TRANSITION: change.transition,
        ALERT_CYCLE_KEY: change.cycleKey,
        HOSTNAME: change.host,
        TAGS: tags(change)
      }
    }),
  'two levels down': change =>
    asJson({
      type: 'datadog',
      data: {
        event: { id: change.eventId, title: title(change) },
        monitor: { id: change.monitorId, name: change.monitor, scope: `host:${change.host}` },
        attributes: { transition: change.transition, tags: tags(change) }
      }
    }),
  'flat form': change => ({
    body: new URLSearchParams({
      id: change.eventId,
      alert_id: change.monitorId,
      alert_transition: change.transition,
      title: change.monitor,
      hostname: change.host,
      tags: tags(change)
    }).toString(),
    headers: form
  }),
  'JSON in a form': change => ({
    body: `payload=${encodeURIComponent(
      JSON.stringify({
        id: change.eventId,
        alert_id: change.monitorId,
        alert_transition: change.transition,
        alert_scope: `host:${change.host}`,
        tags: tags(change)
      })
    )}`,
    headers: form
  }),
  'broken JSON, packed': change => ({
    body: gzipSync(
      [
        `{"id":"${change.eventId}","alert_id":"${change.monitorId}"`,
        `"alert_transition":"${change.transition}","message":"said "${change.monitor}" twice"`,
        `"hostname":"${change.host}","tags":"${tags(change)}",}`
      ].join(',\n')
    ),
    headers: { ...json, 'content-encoding': 'gzip' }
  }),
  'Rayne 0.x': change =>
    asJson({
      ALERT_STATE: change.transition,
      ALERT_TITLE: title(change),
      APPLICATION_TEAM: 'platform',
      DETAILED_DESCRIPTION: prose(change),
      transition_id: change.eventId,
      monitor_id: Number(change.monitorId),
      service: change.service,
      scope: `host:${change.host}`,
      last_updated: Math.floor(change.at / 1000)
    })
}

/** `count` different changes and how each sender writes one of them, the senders taking turns. */
export function deliveries(count: number): (Delivery & { sender: string; change: Change })[] {
  const senders = Object.entries(templates)
  const transitions = ['Triggered', 'Warn', 'Recovered', 'No Data'] as const
  return Array.from({ length: count }, (_, index) => {
    const [sender, write] = senders[index % senders.length] as (typeof senders)[number]
    const round = Math.floor(index / senders.length)
    const change: Change = {
      monitorId: String(220_000_000 + (index % 50)),
      monitor: `Load is high (${index % 50})`,
      host: `web-${Math.floor(index / 50)}`,
      service: 'api',
      transition: transitions[round % 4] as (typeof transitions)[number],
      at: 1_790_000_000_000 + index * 1000,
      cycleKey: String(7_716_548_234_000_000_000n + BigInt(index % 50)),
      eventId: String(8_306_082_202_796_000_000n + BigInt(index))
    }
    return { ...write(change), sender, change }
  })
}
