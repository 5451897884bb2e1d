import { isoTime, epochMs, Type } from '../core/index.ts'
import { pageOf } from './kit/links.ts'
import { defineReader, limitOf } from './kit/reader.ts'

const numberOrNull = Type.Union([Type.Number(), Type.Null()])

export default defineReader({
  name: 'get_host_info',
  title: 'Hosts',
  description: [
    'Hosts whose name contains a text: up or down, muted, load, apps, tags. Use it to know whether a host is in',
    'trouble. Names that merely contain the text are answered too.'
  ],
  input: {
    filter: Type.String({ minLength: 1, maxLength: 200, description: 'part of a host name' }),
    limit: limitOf(100, 20)
  },
  row: Type.Object({
    name: Type.String(),
    up: Type.Union([Type.Boolean(), Type.Null()]),
    muted: Type.Boolean(),
    last_reported: Type.Union([Type.String(), Type.Null()]),
    cpu_percent: numberOrNull,
    load: numberOrNull,
    iowait_percent: numberOrNull,
    apps: Type.String(),
    tags: Type.String()
  }),
  example: { filter: 'web-1', limit: 5 },
  async ask({ filter, limit }, { account, signal }) {
    const found = await account.hosts({ filter, limit }, { signal })
    return {
      ...found,
      rows: found.rows.map(({ name, up, muted, lastReported, metrics, apps, tags }) => ({
        name,
        up: up ?? null,
        muted: muted ?? false,
        last_reported: lastReported === undefined ? null : isoTime(epochMs(lastReported * 1_000)),
        cpu_percent: metrics.cpu ?? null,
        load: metrics.load ?? null,
        iowait_percent: metrics.iowait ?? null,
        apps: apps.join(','),
        tags: tags.join(',').slice(0, 600)
      })),
      link: pageOf(account, '/infrastructure', { host: filter }),
      whenEmpty: 'only hosts that reported in the last two hours are known'
    }
  }
})
