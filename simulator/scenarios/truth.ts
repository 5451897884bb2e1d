import type { Account } from '../world/accounts.ts'
import { scenarioEvent } from '../world/events.ts'
import type { EvidenceSpec, Scenario } from './load-scenario.ts'

/** The truth of a scenario with ids and absolute times (ISO), so that a grader can compare; null without one. */
export function resolveTruth(
  scenario: Scenario,
  account: Account,
  t0: number
): Record<string, unknown> | null {
  const { truth } = scenario
  if (!truth) return null
  const iso = (seconds: number): string => new Date(t0 + seconds * 1000).toISOString()
  const eventOf = (ref: string | undefined): Record<string, unknown> => {
    const spec = scenario.events.find(e => e.ref === ref)
    if (!spec) return {}
    const row = scenarioEvent(account.world, spec, t0 + spec.at * 1000)
    return {
      id: row.id,
      evt_id: (row.attributes['evt'] as { id: string }).id,
      title: row.title,
      at: iso(spec.at)
    }
  }
  const evidence = (item: EvidenceSpec): Record<string, unknown> => ({
    ...item,
    ...(item.kind === 'event' ? eventOf(item.ref) : {}),
    ...(item.kind === 'monitor'
      ? { id: account.monitors.find(m => m.spec.name === item.name)?.id }
      : {})
  })
  return {
    scenario: scenario.id,
    title: scenario.title,
    account: account.spec.name,
    component: truth.component,
    class: truth.class,
    trigger: { ...truth.trigger, ...eventOf(truth.trigger.ref), at: iso(truth.trigger.at) },
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
