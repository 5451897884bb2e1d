import { compileEffect, inScope, type Effect, type Tags } from './effects.ts'
import type { Emitter } from './emitter.ts'
import { createSeries, type Series } from '../metrics/series.ts'
import { createStreams, type LogStream } from './logs.ts'
import { hash } from './random.ts'
import type {
  AccountSpec,
  HostSpec,
  MetricSpec,
  Scenario,
  ServiceSpec
} from '../scenarios/load-scenario.ts'

export interface WorldHost {
  readonly spec: HostSpec
  readonly name: string
  readonly tags: Tags
  readonly services: readonly string[]
}

/** Everything one account can be asked about, computed from the scenario on first use and never stored. */
export interface World {
  readonly account: AccountSpec
  readonly scenario: Scenario
  readonly t0: number
  readonly seed: number
  readonly hosts: readonly WorldHost[]
  readonly services: readonly ServiceSpec[]
  readonly metrics: ReadonlyMap<string, MetricSpec>
  readonly streams: readonly LogStream[]
  readonly instances: readonly Emitter[]
  /** All series of one metric; empty when there is no such metric. */
  series(metric: string): readonly Series[]
}

/** The world of one account; equal inputs give equal data to the byte. */
export function createWorld(
  account: AccountSpec,
  scenario: Scenario,
  seed: number,
  t0: number
): World {
  const own = hash(seed, scenario.id, account.name)
  const hosts = scenario.hosts.map(spec => worldHost(spec, account, scenario.services))
  const emitters = {
    host: hosts.map(hostEmitter),
    instance: scenario.services.flatMap(service => instances(service, hosts, t0))
  }
  const metrics = new Map(scenario.metrics.map(metric => [metric.name, metric]))
  const known = new Map<string, readonly Series[]>()
  const effects = scenario.effects.map(spec => ({ spec, effect: compileEffect(spec, t0) }))
  const effectsOn = (kind: 'metric' | 'log', name: string, tags: Tags): Effect[] =>
    effects
      .filter(({ spec }) => spec[kind] === name && inScope(spec.scope, tags))
      .map(e => e.effect)
  const series = (name: string): readonly Series[] => {
    const found = known.get(name)
    if (found) return found
    const spec = metrics.get(name)
    const made = spec
      ? createSeries(spec, emitters[spec.per], own, tags => effectsOn('metric', name, tags), series)
      : []
    known.set(name, made)
    return made
  }
  const streams = createStreams(scenario.logs, emitters, own, (ref, tags) =>
    effectsOn('log', ref, tags)
  )
  return {
    account,
    scenario,
    t0,
    seed: own,
    hosts,
    services: scenario.services,
    metrics,
    streams,
    instances: emitters.instance,
    series
  }
}

function worldHost(
  spec: HostSpec,
  account: AccountSpec,
  services: readonly ServiceSpec[]
): WorldHost {
  const name = `${spec.name}${account.hostSuffix ?? ''}`
  const runs = services
    .filter(service => service.deployments.some(d => d.hosts.includes(spec.name)))
    .map(s => s.name)
  return {
    spec,
    name,
    tags: { host: name, env: spec.env, role: spec.role, 'availability-zone': spec.zone },
    services: runs
  }
}

const hostEmitter = (host: WorldHost): Emitter => ({
  tags: host.tags,
  params: host.spec.params,
  share: 1,
  from: -Infinity,
  until: Infinity
})

function instances(service: ServiceSpec, hosts: readonly WorldHost[], t0: number): Emitter[] {
  const perEnv = new Map<string, Set<string>>()
  for (const d of service.deployments)
    perEnv.set(d.env, new Set([...(perEnv.get(d.env) ?? []), ...d.hosts]))
  return service.deployments.flatMap(deployment =>
    deployment.hosts.flatMap(name => {
      const host = hosts.find(h => h.spec.name === name)
      if (!host) return []
      const tags = {
        ...host.tags,
        env: deployment.env,
        service: service.name,
        version: deployment.version,
        team: service.team,
        kind: service.kind
      }
      const share = (deployment.share ?? 1) / (perEnv.get(deployment.env)?.size ?? 1)
      return {
        tags,
        params: service.params,
        share,
        from: instant(deployment.from, t0, -Infinity),
        until: instant(deployment.until, t0, Infinity)
      }
    })
  )
}

const instant = (seconds: number | undefined, t0: number, otherwise: number): number =>
  seconds === undefined ? otherwise : t0 + seconds * 1000
