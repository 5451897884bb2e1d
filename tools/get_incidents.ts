import { isoTime, Type } from '../core/index.ts'
import { pageOf } from './kit/links.ts'
import { defineReader, limitOf } from './kit/reader.ts'

export default defineReader({
  name: 'get_incidents',
  title: 'Incidents',
  description: [
    'Incidents people declared in Datadog, newest first: state, severity, services, root cause if written. Use it to',
    'see whether somebody works on it already. It does not know alerts: get_triggered_monitors does.'
  ],
  input: {
    query: Type.String({
      maxLength: 1_000,
      default: 'state:active',
      description: 'incident search, e.g. state:(active OR stable) severity:SEV-1'
    }),
    limit: limitOf(100, 20)
  },
  row: Type.Object({
    id: Type.String(),
    number: Type.String(),
    title: Type.String(),
    state: Type.String(),
    severity: Type.String(),
    services: Type.String(),
    root_cause: Type.String(),
    created_at: Type.String(),
    resolved_at: Type.Union([Type.String(), Type.Null()]),
    url: Type.String()
  }),
  example: { query: 'state:active', limit: 20 },
  async ask({ query, limit }, { account, signal }) {
    const found = await account.incidents({ query, limit }, { signal })
    return {
      ...found,
      rows: found.rows.map(({ services, rootCause, createdAt, resolvedAt, ...one }) => ({
        ...one,
        services: services.join(','),
        root_cause: (rootCause ?? '').slice(0, 1_000),
        created_at: isoTime(createdAt),
        resolved_at: resolvedAt === undefined ? null : isoTime(resolvedAt),
        url: pageOf(account, `/incidents/${encodeURIComponent(one.number)}`)
      })),
      link: pageOf(account, '/incidents', { query }),
      whenEmpty: 'nobody declared such an incident; leave out the state to see those that are over'
    }
  }
})
