import type { EventSpec } from '../scenarios/load-scenario.ts'
import { eventRow, type EventRow } from './event-row.ts'
import { hash } from './random.ts'
import type { World } from './world.ts'

/** The row of a scenario's event at one of its times. */
export function scenarioEvent(world: World, spec: EventSpec, at: number): EventRow {
  const host = spec.host === undefined ? undefined : `${spec.host}${world.account.hostSuffix ?? ''}`
  const reserved = {
    source: spec.source,
    status: spec.status ?? 'info',
    priority: 'normal',
    ...(spec.service === undefined ? {} : { service: spec.service }),
    ...(host === undefined ? {} : { host })
  }
  const tags = [
    ...spec.tags,
    ...(host === undefined ? [] : [`host:${host}`]),
    `source:${spec.source}`
  ]
  const more = { ...(host === undefined ? {} : { hostname: host }), ...spec.attributes }
  const row = eventRow(hash(world.seed, spec.ref, at), {
    at,
    title: spec.title,
    message: spec.message,
    tags,
    reserved,
    type: spec.type,
    key: spec.aggregationKey ?? spec.type,
    more
  })
  return { ...row, ref: spec.ref }
}
