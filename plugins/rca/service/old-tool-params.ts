import { isoTime, epochMs } from '../../../core/index.ts'

type Params = Readonly<Record<string, unknown>>

/** The first version's parameters by the names of today; those of today go through as they are. */
const renamed: Readonly<Record<string, string>> = {
  from_time: 'from',
  to_time: 'to'
}
/** What the first version's tools asked when nobody said it. */
const usual: Readonly<Record<string, Params>> = {
  search_logs: { from: 'now-30m', to: 'now', query: 'status:error' },
  get_events: { from: 'now-30m', to: 'now', query: '' },
  get_monitors: { query: '' }
}

/**
 * Reads parameters as the first version's callers write them: `from_time` and `to_time` in epoch seconds or as
 * `now-30m`, `hostname`, a monitor's number as a number, no search at all.
 */
export function readOldParams(tool: string, params: Params): Params {
  const entries = Object.entries(params).map(([name, value]): [string, unknown] => {
    const own = tool === 'get_host_info' && name === 'hostname' ? 'filter' : (renamed[name] ?? name)
    if ((own === 'from' || own === 'to') && isEpoch(value))
      return [own, isoTime(epochMs(Number(value) * 1_000))]
    if (own === 'monitor_id' && typeof value === 'number') return [own, String(value)]
    return [own, value]
  })
  return { ...usual[tool], ...Object.fromEntries(entries) }
}

const isEpoch = (value: unknown): boolean =>
  (typeof value === 'number' || typeof value === 'string') && /^\d{9,10}$/.test(String(value))
