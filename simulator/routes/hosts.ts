import { hash, hex, mix } from '../world/random.ts'
import { ok, type Call, type Route } from './route.ts'
import type { Account } from '../world/accounts.ts'
import type { WorldHost } from '../world/world.ts'
import { isMuted, visibleTags } from './host-writes.ts'

export const hostRoutes: readonly Route[] = [
  { method: 'GET', path: '/api/v1/hosts', op: 'v1.HostsApi.listHosts', handle: list },
  {
    method: 'GET',
    path: '/api/v1/hosts/totals',
    op: 'v1.HostsApi.getHostTotals',
    handle: ({ account }) =>
      ok({ total_up: account.world.hosts.length, total_active: account.world.hosts.length })
  },
  { method: 'GET', path: '/api/v1/tags/hosts', op: 'v1.TagsApi.listHostTags', handle: tagMap },
  {
    method: 'GET',
    path: '/api/v1/tags/hosts/:host',
    op: 'v1.TagsApi.getHostTags',
    handle: ({ account, params, now }) => {
      const host = account.world.hosts.find(h => h.name === params['host'])
      return ok({
        tags: [
          ...(host ? hostTags(host) : []),
          ...visibleTags(account.hosts.get(params['host'] ?? ''), now)
        ]
      })
    }
  }
]

const hostTags = (host: WorldHost): string[] => [
  ...Object.entries(host.tags).map(([key, value]) => `${key}:${value}`),
  'region:us-east-1',
  ...host.services.map(name => `service:${name}`)
]

function tagMap({ account, now }: Call) {
  const written = [...account.hosts].flatMap(([host, writes]) =>
    visibleTags(writes, now).map(tag => ({ tag, host }))
  )
  const pairs = [
    ...account.world.hosts.flatMap(host => hostTags(host).map(tag => ({ tag, host: host.name }))),
    ...written
  ]
  return ok({
    tags: Object.fromEntries(
      [...Map.groupBy(pairs, p => p.tag)].map(([tag, found]) => [tag, found.map(p => p.host)])
    )
  })
}

function list({ account, query, now }: Call) {
  const filter = (query.get('filter') ?? '').replace(/^host:/, '').toLowerCase()
  const start = Math.max(0, Number(query.get('start') ?? 0) || 0)
  const count = Math.min(1000, Math.max(0, Number(query.get('count') ?? 100) || 100))
  const { world } = account
  const found = world.hosts.filter(host =>
    [host.name, ...hostTags(host), ...apps(host)].some(text => text.toLowerCase().includes(filter))
  )
  const page = found.slice(start, start + count)
  const metadata = query.get('include_hosts_metadata') === 'true'
  return ok({
    exact_total_matching: true,
    total_returned: page.length,
    host_list: page.map(host => resource(account, host, now, metadata)),
    total_matching: found.length
  })
}

const apps = (host: WorldHost): string[] => [
  'agent',
  'ntp',
  ...({ db: ['postgres'], cache: ['redis'], kafka: ['kafka'], web: ['nginx'] }[host.spec.role] ?? [
    'docker'
  ])
]

function resource(account: Account, host: WorldHost, now: number, metadata: boolean): object {
  const { world } = account
  const writes = account.hosts.get(host.name)
  const muted = isMuted(writes, now)
  const id = 1_000_000_000 + (hash(world.seed, host.name) % 900_000_000)
  const read = (metric: string): number | null =>
    world
      .series(metric)
      .find(series => series.tags['host'] === host.name)
      ?.valueAt(now) ?? null
  return {
    last_reported_time: Math.floor(now / 1000) - (id % 15),
    name: host.name,
    is_muted: muted,
    mute_timeout: muted && writes?.mute?.end !== undefined ? writes.mute.end / 1000 : null,
    apps: apps(host),
    tags_by_source: {
      Datadog: hostTags(host),
      ...(visibleTags(writes, now).length > 0 ? { Users: visibleTags(writes, now) } : {})
    },
    up: true,
    metrics: {
      load: read('system.load.1'),
      iowait: read('system.cpu.iowait'),
      cpu: read('system.cpu.user')
    },
    sources: ['agent'],
    ...(metadata ? { meta: meta(world, host, id) } : {}),
    host_name: host.name,
    id,
    aliases: [`i-0${hex(id, 16)}`, host.name]
  }
}

function meta(world: Account['world'], host: WorldHost, id: number): object {
  const ip = `10.0.${mix(id, 1) % 250}.${mix(id, 2) % 250}`
  const gohai = {
    cpu: {
      cpu_cores: '4',
      cpu_logical_processors: '8',
      model_name: 'Intel(R) Xeon(R) Platinum 8259CL CPU @ 2.50GHz'
    },
    memory: { swap_total: '0kB', total: '32425268kB' },
    network: { ipaddress: ip, macaddress: `02:42:0a:00:00:${hex(id, 2)}` },
    platform: { hostname: host.name, os: 'GNU/Linux', processor: 'x86_64' }
  }
  const checks = ['uptime', 'memory', 'ntp', 'network', 'disk', 'cpu', 'load'].map(name => [
    name,
    name,
    name,
    'OK',
    '',
    ''
  ])
  return {
    'socket-hostname': host.name,
    'socket-fqdn': `${host.name}.${world.account.name}.internal`,
    nixV: ['ubuntu', '22.04', ''],
    macV: ['', '', ''],
    winV: ['', '', ''],
    fbsdV: ['', '', ''],
    cpuCores: 8,
    agent_checks: checks,
    platform: 'linux',
    network: { 'network-id': `vpc-${hex(hash(world.seed), 8)}`, 'public-ipv4': '203.0.113.7' },
    agent_flavor: 'agent',
    agent_version: '7.52.1',
    timezones: ['UTC'],
    pythonV: '3.11.8',
    machine: 'amd64',
    install_method: { tool: null, installer_version: null, tool_version: 'undefined' },
    gohai: JSON.stringify(gohai),
    host_id: id,
    processor: gohai.cpu.model_name,
    logs_agent: { transport: 'HTTP' }
  }
}
