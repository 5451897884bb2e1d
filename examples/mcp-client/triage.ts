import { fileURLToPath } from 'node:url'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'

/** What one tool answers, as far as this story reads it. */
interface Answer {
  readonly isError?: boolean
  readonly content: readonly { readonly text?: string }[]
  readonly structuredContent?: { readonly rows: readonly Record<string, unknown>[] }
}
export interface Triage {
  readonly monitor: string
  readonly service: string
  readonly onset: string
  /** The service that fails deepest in a failing trace. */
  readonly component: string
  /** The nearest change before the onset that names the component. */
  readonly change: string | undefined
  readonly newLine: string | undefined
}

const hourMs = 3_600_000

/** Follows the prompt `triage` with nothing but the tools of a server, and says what it found. */
export async function triage(url: string, say: (line: string) => void): Promise<Triage> {
  const client = new Client({ name: 'triage', version: '1.0.0' })
  await client.connect(new StreamableHTTPClientTransport(new URL(url)))
  const ask = async (name: string, input: object): Promise<readonly Record<string, unknown>[]> => {
    const call = { name, arguments: { ...input } }
    const { isError, content, structuredContent } = (await client.callTool(call)) as Answer
    if (isError) throw new Error(`${name}: ${content[0]?.text ?? 'no reason'}`)
    const rows = structuredContent?.rows ?? []
    say(`${name} ${JSON.stringify(input).slice(0, 120)}: ${rows.length} rows`)
    return rows
  }
  try {
    return await follow(ask)
  } finally {
    await client.close()
  }
}

async function follow(
  ask: (name: string, input: object) => Promise<readonly Record<string, unknown>[]>
): Promise<Triage> {
  const [alerting] = await ask('get_triggered_monitors', {})
  if (!alerting) throw new Error('nothing alerts')
  const [monitor = {}] = await ask('get_monitor_details', { monitor_id: alerting['id'] })
  const service = /service:([\w.-]+)/.exec(String(monitor['tags']))?.[1] ?? ''
  const now = Date.now()
  const around = (from: number, to: number) => ({
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString()
  })
  const query = String(monitor['query'])
    .replace(/^\w+\(last_\w+\):/, '')
    .replace(/\s*[<>]=?\s*[\d.]+$/, '')
  const [series] = await ask('query_metrics', { query, ...around(now - 2 * hourMs, now) })
  const onset = onsetOf(String(series?.['points']))
  const failing = { query: `service:${service} status:error`, ...around(onset, now) }
  const [span] = await ask('search_spans', { ...failing, limit: 1 })
  const trace = await ask('get_trace', { trace_id: span?.['trace_id'], ...around(onset, now) })
  const failed = trace.filter(row => row['status'] === 'error')
  const deepest = failed.toSorted((a, b) => Number(b['depth']) - Number(a['depth']))[0]
  const component = String(deepest?.['service'] ?? service)
  const events = await ask('get_events', {
    query: `service:${component}`,
    ...around(onset - hourMs, onset + 60_000)
  })
  const [line] = await ask('search_logs', { ...failing, limit: 1 })
  return {
    monitor: String(monitor['name']),
    service,
    onset: new Date(onset).toISOString(),
    component,
    change: events
      .map(event => String(event['title']))
      .find(title => /deploy|flag|config/i.test(title)),
    newLine: line && String(line['message'])
  }
}

/** Where a series leaves what it was: the first bucket over three times the median of all that came before it. */
function onsetOf(points: string): number {
  const buckets = points.split(', ').map(text => text.split(' '))
  const values = buckets
    .map(([, value]) => Number(value))
    .map(value => (Number.isFinite(value) ? value : 0))
  const at = values.findIndex((value, n) => {
    const before = values.slice(0, n).toSorted((a, b) => a - b)
    return n >= 10 && value > 3 * Math.max(0.1, before[Math.floor(n / 2)] ?? 0)
  })
  return Date.parse(buckets[at]?.[0] ?? '') || Date.now() - hourMs
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const found = await triage(process.argv[2] ?? 'http://127.0.0.1:8080/mcp', console.log)
  console.log(JSON.stringify(found, null, 2))
  if (found.change === undefined) process.exitCode = 1
}
