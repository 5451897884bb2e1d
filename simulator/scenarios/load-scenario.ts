import { checkScenario, readScenario } from './read-scenario.ts'

/** Tag values a thing must carry; a list means any of them, `*` inside a value any text. */
export type Scope = Readonly<Record<string, string | readonly string[]>>
export interface AccountSpec {
  readonly name: string
  readonly site: string
  readonly orgId: number
  readonly orgName: string
  readonly incident: boolean
  readonly hostSuffix?: string
  readonly scopes?: readonly string[]
}
export interface HostSpec {
  readonly name: string
  readonly env: string
  readonly role: string
  readonly zone: string
  readonly params: Readonly<Record<string, number>>
}
export interface DeploymentSpec {
  readonly env: string
  readonly version: string
  readonly hosts: readonly string[]
  readonly share?: number
  readonly from?: number
  readonly until?: number
}
export interface ServiceSpec {
  readonly name: string
  readonly kind: string
  readonly team: string
  readonly description: string
  readonly language?: string
  readonly dependsOn?: readonly string[]
  readonly params: Readonly<Record<string, number>>
  readonly deployments: readonly DeploymentSpec[]
}
export interface MetricSpec {
  readonly name: string
  readonly kind: 'gauge' | 'count' | 'rate'
  readonly unit: string
  readonly per: 'instance' | 'host'
  readonly base: number | string
  readonly split?: boolean
  readonly ratioOf?: string
  readonly where?: Scope
  readonly daily?: number
  readonly noise?: number
  readonly max?: number
}
export interface LogSpec {
  readonly ref: string
  readonly per: 'instance' | 'host'
  readonly where?: Scope
  readonly status: string
  readonly source: string
  readonly rate: number
  readonly message: string
  readonly attributes?: Readonly<Record<string, unknown>>
  readonly follows?: { readonly log: string; readonly share: number; readonly delayMs?: number }
  readonly trace?: TraceSpec
}
/** The request behind a log line: services from the outside in; the last may be a store or an external system. */
export interface TraceSpec {
  readonly path: readonly string[]
  readonly resource: string
  readonly failed?: string
  readonly reason?: string
  readonly upstream?: number
  readonly unreached?: boolean
  readonly code?: number
}
/** One objective: percent of good events among all. */
export interface SloSpec {
  readonly name: string
  readonly numerator: string
  readonly denominator: string
  readonly target: number
  readonly warning: number
  readonly tags: readonly string[]
}
export interface MonitorSpec {
  readonly name: string
  readonly type: string
  readonly query: string
  readonly message: string
  readonly tags: readonly string[]
  readonly priority?: number
  readonly warning?: number
  readonly notifyNoData?: boolean
}
export interface EventSpec {
  readonly ref: string
  readonly at: number
  readonly every?: number
  readonly type: string
  readonly source: string
  readonly title: string
  readonly message: string
  readonly status?: string
  readonly service?: string
  readonly host?: string
  readonly tags: readonly string[]
  readonly aggregationKey?: string
  readonly attributes?: Readonly<Record<string, unknown>>
}
export interface EffectSpec {
  readonly type: 'step' | 'ramp' | 'sawtooth' | 'spike' | 'dropout'
  readonly metric?: string
  readonly log?: string
  readonly scope?: Scope
  readonly at: number
  readonly dur?: number
  readonly until?: number
  readonly mag?: number
  readonly op?: 'mul' | 'add' | 'set'
  readonly fixed?: boolean
  readonly why: string
}
export interface TruthSpec {
  readonly component: string
  readonly also_accepted?: readonly string[]
  readonly class: string
  /** Null, or without a `ref`, where no event tells what set it off. */
  readonly trigger?: {
    readonly kind: string
    readonly ref?: string | null
    readonly at?: number
  } | null
  readonly onset: number
  readonly window: readonly [number, number]
  readonly affected: readonly string[]
  readonly required_evidence: readonly (readonly EvidenceSpec[])[]
  readonly distractors: readonly {
    readonly component: string
    readonly why: string
    readonly ref?: string
  }[]
  readonly remediation: { readonly class: string; readonly text: string }
}
export interface EvidenceSpec {
  readonly kind: 'event' | 'log' | 'metric' | 'monitor'
  readonly ref?: string
  readonly query?: string
  readonly name?: string
}

/** One scenario as it is written; `extends` names the file it is laid over. */
export interface ScenarioFile {
  readonly id: string
  readonly title: string
  readonly extends?: string
  readonly accounts?: readonly AccountSpec[]
  readonly hosts?: readonly HostSpec[]
  readonly services?: readonly ServiceSpec[]
  readonly metrics?: readonly MetricSpec[]
  readonly logs?: readonly LogSpec[]
  readonly monitors?: readonly MonitorSpec[]
  readonly events?: readonly EventSpec[]
  readonly effects?: readonly EffectSpec[]
  readonly slos?: readonly SloSpec[]
  readonly alert?: { readonly monitor: string }
  readonly truth?: TruthSpec
}
/** A scenario with every list present. */
export type Scenario = ScenarioFile & Required<Omit<ScenarioFile, 'extends' | 'alert' | 'truth'>>
/** `calm` is the world without the incident: what accounts outside of it see. */
export interface LoadedScenario {
  readonly full: Scenario
  readonly calm: Scenario
}

/**
 * Loads a scenario by name, from a file anywhere or from an object; a bad field is named in the error. What a file
 * `extends` is looked for beside it first.
 */
export function loadScenario(source: string | ScenarioFile, beside?: string): LoadedScenario {
  const { value, folder } =
    typeof source === 'string'
      ? readScenario(source, beside)
      : { value: checkScenario(source, source.id), folder: beside }
  const file = value as ScenarioFile
  if (!file.extends) {
    const full = complete(file)
    if (file.truth) checkReferences(full)
    return { full, calm: { ...full, effects: file.truth ? [] : full.effects } }
  }
  if (file.extends === file.id)
    throw new Error(`scenario '${file.id}' is not valid: /extends names the scenario itself`)
  const calm = loadScenario(file.extends, folder).full
  const full = overlay(calm, file)
  checkReferences(full)
  return { full, calm }
}

const complete = (file: ScenarioFile): Scenario => ({
  accounts: [],
  hosts: [],
  services: [],
  metrics: [],
  logs: [],
  monitors: [],
  events: [],
  effects: [],
  slos: [],
  ...file
})

const merge = <T>(
  under: readonly T[],
  over: readonly T[] | undefined,
  key: (item: T) => string
): T[] => [...new Map([...under, ...(over ?? [])].map(item => [key(item), item])).values()]

function overlay(base: Scenario, file: ScenarioFile): Scenario {
  return {
    ...base,
    ...file,
    accounts: merge(base.accounts, file.accounts, a => a.name),
    hosts: merge(base.hosts, file.hosts, h => h.name),
    services: merge(base.services, file.services, s => s.name),
    metrics: merge(base.metrics, file.metrics, m => m.name),
    logs: merge(base.logs, file.logs, l => l.ref),
    monitors: merge(base.monitors, file.monitors, m => m.name),
    events: merge(base.events, file.events, e => e.ref),
    slos: merge(base.slos, file.slos, s => s.name),
    effects: [...base.effects, ...(file.effects ?? [])]
  }
}

/** Names that point elsewhere must exist; a typo would otherwise be an effect that never happens. */
function checkReferences(scenario: Scenario): void {
  const names = {
    metric: new Set(scenario.metrics.map(m => m.name)),
    log: new Set(scenario.logs.map(l => l.ref)),
    service: new Set(scenario.services.map(s => s.name)),
    host: new Set(scenario.hosts.map(h => h.name)),
    event: new Set(scenario.events.map(e => e.ref)),
    monitor: new Set(scenario.monitors.map(m => m.name))
  }
  const must = (kind: keyof typeof names, name: string | undefined, where: string): void => {
    if (name !== undefined && !name.includes('*') && !names[kind].has(name))
      throw new Error(
        `scenario '${scenario.id}' is not valid: ${where} names the ${kind} '${name}', which does not exist`
      )
  }
  scenario.effects.forEach((effect, i) => {
    must('metric', effect.metric, `/effects/${i}/metric`)
    must('log', effect.log, `/effects/${i}/log`)
    for (const name of [effect.scope?.['service'] ?? []].flat())
      must('service', name, `/effects/${i}/scope/service`)
  })
  scenario.services.forEach((service, i) =>
    service.deployments.forEach((d, j) =>
      d.hosts.forEach(host => must('host', host, `/services/${i}/deployments/${j}/hosts`))
    )
  )
  scenario.logs.forEach((log, i) => must('log', log.follows?.log, `/logs/${i}/follows/log`))
  scenario.logs.forEach((log, i) => must('service', log.trace?.path[0], `/logs/${i}/trace/path`))
  must('monitor', scenario.alert?.monitor, '/alert/monitor')
  must('event', scenario.truth?.trigger?.ref ?? undefined, '/truth/trigger/ref')
  scenario.truth?.distractors.forEach((one, i) =>
    must('event', one.ref, `/truth/distractors/${i}/ref`)
  )
  for (const evidence of scenario.truth?.required_evidence.flat() ?? [])
    must('event', evidence.kind === 'event' ? evidence.ref : undefined, '/truth/required_evidence')
}
