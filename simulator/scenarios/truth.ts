import type { Account } from '../world/accounts.ts'
import { scenarioEvent } from '../world/scenario-event.ts'
import type { EvidenceSpec, Scenario } from './load-scenario.ts'

/** An event as the account shows it: both of its ids, its title and its time (ISO). */
interface ShownEvent {
  readonly id?: string
  readonly evt_id?: string
  readonly title?: string
  readonly at?: string
}
/** One piece of evidence; an event has its id as text, a monitor as a number. */
export interface Evidence extends Omit<EvidenceSpec, 'ref'>, Omit<ShownEvent, 'id'> {
  readonly ref?: string
  readonly id?: string | number
}
/** What a perfect analysis finds, with ids and absolute times (ISO), so that a grader can compare. */
export interface Truth {
  readonly scenario: string
  readonly title: string
  readonly account: string
  readonly component: string
  readonly also_accepted: readonly string[]
  readonly class: string
  readonly trigger: ShownEvent & { readonly kind: string; readonly ref?: string }
  readonly onset: string
  readonly window: readonly string[]
  readonly affected: readonly string[]
  readonly required_evidence: readonly (readonly Evidence[])[]
  readonly distractors: readonly (ShownEvent & {
    readonly component: string
    readonly why: string
    readonly ref?: string
  })[]
  readonly remediation: { readonly class: string; readonly text: string }
}

/** The truth of a scenario for the account it happens in; null without one. */
export function resolveTruth(scenario: Scenario, account: Account, t0: number): Truth | null {
  const { truth } = scenario
  if (!truth) return null
  const iso = (seconds: number): string => new Date(t0 + seconds * 1000).toISOString()
  const eventOf = (ref: string | undefined): ShownEvent => {
    const spec = scenario.events.find(e => e.ref === ref)
    if (!spec) return {}
    const row = scenarioEvent(account.world, spec, t0 + spec.at * 1000)
    return { id: row.id, evt_id: row.evtId, title: row.title, at: iso(spec.at) }
  }
  const evidence = (item: EvidenceSpec): Evidence => {
    if (item.kind === 'event') return { ...item, ...eventOf(item.ref) }
    const monitor = account.monitors.find(m => item.kind === 'monitor' && m.spec.name === item.name)
    return monitor ? { ...item, id: monitor.id } : item
  }
  return {
    scenario: scenario.id,
    title: scenario.title,
    account: account.spec.name,
    component: truth.component,
    also_accepted: truth.also_accepted ?? [],
    class: truth.class,
    trigger: {
      kind: truth.trigger?.kind ?? 'none',
      ...(typeof truth.trigger?.ref === 'string'
        ? { ref: truth.trigger.ref, ...eventOf(truth.trigger.ref) }
        : {}),
      at: iso(truth.trigger?.at ?? truth.onset)
    },
    onset: iso(truth.onset),
    window: truth.window.map(iso),
    affected: truth.affected,
    required_evidence: truth.required_evidence.map(group => group.map(evidence)),
    distractors: truth.distractors.map(item => ({
      ...item,
      ...(item.ref === undefined ? {} : eventOf(item.ref))
    })),
    remediation: truth.remediation
  }
}
