import { refuse } from './api-error.ts'
import type { HostWrites } from '../world/accounts.ts'
import { hash, unit } from '../world/random.ts'
import { ok, type Call, type Reply, type Route } from './route.ts'

/** Muting and tagging; both take hosts that never reported, as the real one does. */
export const hostWriteRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/api/v1/host/:host/mute',
    op: 'v1.HostsApi.muteHost',
    scope: 'monitors_downtime',
    handle: mute
  },
  {
    method: 'POST',
    path: '/api/v1/host/:host/unmute',
    op: 'v1.HostsApi.unmuteHost',
    scope: 'monitors_downtime',
    handle: unmute
  },
  {
    method: 'POST',
    path: '/api/v1/tags/hosts/:host',
    op: 'v1.TagsApi.createHostTags',
    handle: call => ({
      status: 201,
      body: {
        host: call.params['host'],
        tags: write(call, tags => [...new Set([...current(call), ...tags])])
      }
    })
  },
  {
    method: 'PUT',
    path: '/api/v1/tags/hosts/:host',
    op: 'v1.TagsApi.updateHostTags',
    handle: replace
  },
  {
    method: 'DELETE',
    path: '/api/v1/tags/hosts/:host',
    op: 'v1.TagsApi.deleteHostTags',
    handle: call => {
      write(call, () => [])
      return { status: 204 }
    }
  }
]

/** What was written about a host, empty on first use. */
function writesOf({ account, params }: Call): HostWrites {
  const name = params['host'] ?? ''
  let found = account.hosts.get(name)
  if (!found) account.hosts.set(name, (found = {}))
  return found
}

const idOf = ({ account, params }: Call): number =>
  700_000_000 + (hash(account.world.seed, 'mute', params['host'] ?? '') % 100_000_000)

function mute(call: Call): Reply {
  const host = call.params['host'] ?? ''
  const { message, end, override } = (call.body ?? {}) as {
    message?: string
    end?: number
    override?: boolean
  }
  const writes = writesOf(call)
  if (isMuted(writes, call.now) && override !== true)
    throw refuse(
      400,
      `host:${host} is already muted. To mute this host with a different end timestamp, ` +
        `${' '.repeat(21)}add ?override=true to your request.`
    )
  if (end !== undefined && (typeof end !== 'number' || end * 1000 <= call.now))
    throw refuse(400, 'end must be in the future')
  writes.mute = { id: idOf(call), end: end === undefined ? undefined : end * 1000, message }
  return ok({
    action: 'Muted',
    downtime_id: writes.mute.id,
    hostname: host,
    ...(end === undefined ? {} : { end }),
    ...(message === undefined ? {} : { message })
  })
}

/** True while a mute is in force. */
export const isMuted = (writes: HostWrites | undefined, now: number): boolean =>
  writes?.mute !== undefined && (writes.mute.end === undefined || writes.mute.end > now)

function unmute(call: Call): Reply {
  const host = call.params['host'] ?? ''
  const writes = writesOf(call)
  if (!isMuted(writes, call.now)) throw refuse(400, `host:${host} is not muted`)
  delete writes.mute
  return ok({ action: 'Unmuted', downtime_id: idOf(call), hostname: host })
}

/** The newest tags, indexed or not. */
const current = (call: Call): readonly string[] => writesOf(call).tags?.at(-1)?.tags ?? []

/** Answers what can be read at once, which after a first write is nothing: tags are indexed 1 to 4 seconds later. */
function write(call: Call, next: (given: string[]) => string[]): readonly string[] {
  const { tags = [] } = (call.body ?? {}) as { tags?: unknown }
  if (!Array.isArray(tags) || !tags.every(tag => typeof tag === 'string'))
    throw refuse(400, "'tags' must be a list of strings")
  const writes = writesOf(call)
  const before = visibleTags(writes, call.now)
  const lag =
    1000 + Math.floor(unit(hash(call.account.world.seed, 'lag', ++call.account.writes), 0) * 3000)
  writes.tags = [...(writes.tags ?? []), { tags: next(tags), at: call.now + lag }]
  return before
}

/** A PUT answers what it was given, a POST what is indexed: so it was recorded. */
function replace(call: Call): Reply {
  write(call, tags => tags)
  return { status: 201, body: { host: call.params['host'], tags: current(call) } }
}

/** The written tags that are indexed by now. */
export const visibleTags = (writes: HostWrites | undefined, now: number): readonly string[] =>
  writes?.tags?.findLast(one => one.at <= now)?.tags ?? []
