import { tagValues } from '../search/match.ts'
import { eventRow, type EventRow } from './event-row.ts'
import { cycleKey, transitionName, type Monitor, type Transition } from './monitors.ts'
import { decimal, hash } from './random.ts'
import type { World } from './world.ts'

const statusOf = { Alert: 'error', Warn: 'warn', OK: 'ok', 'No Data': 'warn' } as const

/** The event Datadog writes when a monitor changes its state (`source:alert`). */
export function alertEvent(world: World, monitor: Monitor, transition: Transition): EventRow {
  const { spec, id } = monitor
  const status = statusOf[transition.to]
  const group = groupOf(transition)
  const service = tagValues(spec.tags, 'service')[0]
  return eventRow(hash(world.seed, id, transition.group, transition.at), {
    at: transition.at,
    title: alertTitle(monitor, transition),
    message: alertMessage(monitor, transition),
    tags: [...new Set([...spec.tags, ...group, 'monitor', 'source:alert'])],
    type: eventType(spec.type),
    key: decimal(hash(id), 16),
    reserved: {
      source: 'alert',
      status,
      priority: 'normal',
      ...(service === undefined ? {} : { service })
    },
    more: { monitor: monitorPart(monitor, transition) }
  })
}

function alertMessage(monitor: Monitor, transition: Transition): string {
  const changed = new Date(transition.at).toUTCString()
  const parts = [monitor.spec.message, alertSummary(monitor, transition)]
  return `%%%\n${parts.join('\n\n')}\n\nThe monitor was last changed at ${changed}.\n%%%`
}

function monitorPart(monitor: Monitor, transition: Transition): object {
  const { spec, id } = monitor
  return {
    id,
    name: spec.name,
    type: spec.type,
    query: spec.query,
    message: spec.message,
    tags: spec.tags,
    priority: spec.priority ?? null,
    groups: groupOf(transition),
    transition: {
      trans_name: transitionName(transition),
      trans_type: transition.to === 'OK' ? 'alert recovery' : 'alert',
      source_state: transition.from,
      destination_state: transition.to
    },
    alert_cycle_key: cycleKey(monitor, transition)
  }
}

const groupOf = ({ group }: Transition): string[] => (group === '' ? [] : group.split(','))

/** `$EVENT_TYPE` of a monitor type. */
export const eventType = (monitorType: string): string =>
  monitorType === 'event alert' ? 'event_alert' : `${monitorType.replaceAll(' ', '_')}_monitor`

/** `[P2] [Triggered on {host:a}] name`, as alert titles read. */
export function alertTitle({ spec }: Monitor, transition: Transition): string {
  const priority = spec.priority === undefined ? '' : `[P${spec.priority}] `
  const group = transition.group === '' ? '' : ` on {${transition.group}}`
  return `${priority}[${transitionName(transition)}${group}] ${spec.name}`
}

/** One sentence on the value and the limit, as `$ALERT_STATUS` has it. */
export function alertSummary(monitor: Monitor, transition: Transition): string {
  const { query, spec } = monitor
  const limit = transition.to === 'Warn' ? (spec.warning ?? query.critical) : query.critical
  const compared =
    transition.to === 'OK'
      ? `was not ${query.op} ${query.critical}`
      : transition.to === 'No Data'
        ? 'had no data'
        : `was ${query.op} ${limit}`
  const over = transition.group === '' ? '' : ` over ${transition.group}`
  const value = Number.isNaN(transition.value) ? 'none' : transition.value.toFixed(3)
  const window = query.window.replace('_', ' ')
  return `${spec.name}${over} ${compared} during the ${window}.\n\nMetric value: ${value}`
}
