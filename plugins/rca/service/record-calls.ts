import {
  DatadogError,
  type DatadogAccount,
  type DatadogRows
} from '../../datadog-proxy/contract.ts'
import type { SnapshotCall } from './snapshot.ts'

/** A replay may ask for other limits, so more is read than was asked for; one page at most. */
const mostRows = 1000

/** An account that answers as the real one and keeps what was asked and answered, failures included. */
export function recordCalls(account: DatadogAccount): {
  account: DatadogAccount
  calls: () => readonly SnapshotCall[]
} {
  const kept = new Map<string, SnapshotCall>()
  const keep = (call: SnapshotCall): void => {
    kept.set(JSON.stringify([call.call, call.input]), call)
  }

  async function rows<T>(
    call: SnapshotCall['call'],
    input: { readonly query?: string; readonly limit?: number },
    read: (limit: number) => Promise<DatadogRows<T>>
  ): Promise<DatadogRows<T>> {
    const limit = input.limit ?? mostRows
    try {
      const found = await read(Math.max(limit, mostRows))
      keep({
        call,
        input,
        rows: found.rows,
        truncated: found.truncated,
        warnings: found.warnings
      } as unknown as SnapshotCall)
      return {
        ...found,
        rows: found.rows.slice(0, limit),
        truncated: found.truncated || found.rows.length > limit,
        asked: { ...found.asked, limit }
      }
    } catch (error) {
      throw failed(call, input, error)
    }
  }
  function failed(call: SnapshotCall['call'], input: object, error: unknown): unknown {
    if (error instanceof DatadogError)
      keep({
        call,
        input,
        rows: [],
        failure: {
          kind: error.failure,
          status: error.datadogStatus ?? error.status,
          message: error.message
        }
      } as unknown as SnapshotCall)
    return error
  }

  const recording: DatadogAccount = {
    ...account,
    async monitor(id, options) {
      try {
        const monitor = await account.monitor(id, options)
        keep({ call: 'monitor', input: { id }, rows: [monitor] })
        return monitor
      } catch (error) {
        throw failed('monitor', { id }, error)
      }
    },
    metric: (input, options) => rows('metric', input, () => account.metric(input, options)),
    events: (input, options) =>
      rows('events', input, limit => account.events({ ...input, limit }, options)),
    logs: (input, options) =>
      rows('logs', input, limit => account.logs({ ...input, limit }, options)),
    spans: (input, options) =>
      rows('spans', input, limit => account.spans({ ...input, limit }, options)),
    hosts: (input, options) =>
      rows('hosts', input, limit => account.hosts({ ...input, limit }, options))
  }
  return { account: recording, calls: () => [...kept.values()] }
}
