/** One way to run the server that is measured. */
export interface Variant {
  readonly id: string
  readonly title: string
  readonly env: Readonly<Record<string, string>>
  readonly starts: boolean
}

const production = { NODE_ENV: 'production' }
// The scenario's own alert would start an analysis while memory is read.
const quiet = { RAYNE_DEMO_FIRE: 'false' }

export const variants: readonly Variant[] = [
  {
    id: 'webhooks-web',
    title: 'webhooks alone, RAYNE_ROLE=web, NODE_ENV=production',
    env: { ...production, RAYNE_PLUGINS: 'webhooks', RAYNE_ROLE: 'web' },
    starts: false
  },
  {
    id: 'webhooks',
    title: 'webhooks alone, web and worker, NODE_ENV=production',
    env: { ...production, RAYNE_PLUGINS: 'webhooks' },
    starts: true
  },
  {
    id: 'all-web',
    title:
      'every plugin, RAYNE_ROLE=web, NODE_ENV=production ' +
      '(each alert also enqueues a job; another process would analyse)',
    env: { ...production, RAYNE_ROLE: 'web' },
    starts: false
  },
  {
    id: 'all',
    title:
      'every plugin, web and worker, as `npm start` without keys ' +
      '(analyses and the simulated Datadog share the process)',
    env: quiet,
    starts: true
  }
]
