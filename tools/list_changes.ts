import { isoTime, Type } from '../core/index.ts'
import type { DatadogEvent } from '../plugins/datadog-proxy/contract.ts'
import { timedPage } from './kit/links.ts'
import { defineReader, limitOf } from './kit/reader.ts'
import { readWindow, Window } from './kit/window.ts'

const sources =
  'deploy OR deployment OR change OR change_tracking OR github OR gitlab OR jenkins OR argocd ' +
  'OR launchdarkly OR feature_flag OR terraform OR kubernetes'
const anyChange = `(source:(${sources}) OR tags:deployment OR "deploy" OR "rollout" OR "flag" OR "config")`

export default defineReader({
  name: 'list_changes',
  title: 'Changes',
  description: [
    'Deploys, feature flags, configuration and infrastructure changes of a window, newest first. Use it for what',
    'changed before an onset, from an hour before it. It does not know changes nobody reports to Datadog.'
  ],
  input: {
    query: Type.String({
      maxLength: 1_000,
      default: '',
      description: 'narrows it, e.g. service:checkout-api env:prod; all changes when left out'
    }),
    ...Window,
    limit: limitOf(200, 50)
  },
  row: Type.Object({
    at: Type.String(),
    kind: Type.String({ description: 'deploy, flag, config, infrastructure or other' }),
    title: Type.String(),
    source: Type.String(),
    service: Type.String(),
    version: Type.String(),
    env: Type.String(),
    message: Type.String(),
    url: Type.String()
  }),
  example: {
    query: 'env:prod',
    from: '2026-01-31T10:00:00Z',
    to: '2026-01-31T11:00:00Z',
    limit: 50
  },
  async ask({ query, limit, ...input }, { account, signal }) {
    const window = readWindow(input)
    const asked = `${anyChange} ${query}`.trim()
    const found = await account.events({ query: asked, window, limit }, { signal })
    return {
      ...found,
      rows: found.rows.map(event => ({
        at: isoTime(event.at),
        kind: kindOf(event),
        title: event.title,
        source: event.source ?? '',
        service: event.service ?? tagOf(event, 'service'),
        version: tagOf(event, 'version'),
        env: tagOf(event, 'env'),
        message: event.message.slice(0, 500),
        url: timedPage(account, '/event/event', window, { id: event.id })
      })),
      link: timedPage(account, '/event/explorer', window, { query: asked }),
      whenEmpty: 'no change was reported then; that is no proof that there was none'
    }
  }
})

const tagOf = ({ tags }: DatadogEvent, key: string): string =>
  tags.find(tag => tag.startsWith(`${key}:`))?.slice(key.length + 1) ?? ''

const kinds: readonly (readonly [kind: string, pattern: RegExp])[] = [
  ['flag', /\bfeature[_ -]?flag|\bflag\b|launchdarkly/i],
  ['deploy', /\bdeploy|\brollout|\brelease|argocd|\brolled back/i],
  ['config', /\bconfig|\bsettings?\b/i],
  ['infrastructure', /kubernetes|terraform|\bnode\b|\bscal(?:e|ed|ing)\b|autoscal/i]
]

/** What kind of change an event tells of, by its source first. */
function kindOf({ source = '', title, tags }: DatadogEvent): string {
  const texts = [source, title, tags.join(' ')]
  for (const text of texts) {
    const found = kinds.find(([, pattern]) => pattern.test(text))
    if (found) return found[0]
  }
  return 'other'
}
