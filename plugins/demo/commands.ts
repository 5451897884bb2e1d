import { RayneError, Type, type PluginApp, type Static } from '../../core/index.ts'
import type { StandaloneOptions } from '../../simulator/main.ts'
import { scenarioNames } from '../../simulator/scenarios/scenario-files.ts'
import { demoErrors } from './contract.ts'

const Port = Type.Integer({ minimum: 0, maximum: 65_535, default: 0, title: 'port' })
const options = Type.Object({
  scenario: Type.String({
    default: 's1',
    minLength: 1,
    title: 'name|file',
    description: `what happens there: ${scenarioNames().join(', ')}, or a .json file of your own`
  }),
  world: Type.Optional(
    Type.String({
      minLength: 1,
      title: 'file',
      description: 'a file of `rayne record` instead: the same questions get the same answers'
    })
  ),
  seed: Type.Optional(
    Type.Integer({
      minimum: 0,
      description: 'other numbers, same story, and keys that are the same every time'
    })
  ),
  variant: Type.Optional(
    Type.Integer({ minimum: 0, description: 'the story under other names and at another strength' })
  ),
  t0: Type.Optional(
    Type.String({
      format: 'date-time',
      title: 'time',
      description: 'onset of the incident, as 2026-01-31T12:00:00Z (20 minutes ago when left out)'
    })
  ),
  speed: Type.Number({
    minimum: 0,
    maximum: 1_000_000,
    default: 1,
    description: 'how fast time passes there: 0 stands still, 60 is an hour a minute'
  }),
  data_port: Type.Integer({ ...Port, description: 'of the Datadog surface; 0 is a free one' }),
  control_port: Type.Integer({ ...Port, description: 'of the control plane; 0 is a free one' }),
  webhook_target: Type.Optional(
    Type.String({
      pattern: '^https?://',
      title: 'url',
      description: 'where alerts are posted, on this machine'
    })
  ),
  webhook_header: Type.Array(Type.String({ pattern: '^[^:\\s]+:' }), {
    default: [],
    title: 'header',
    description: 'a header for it, as "Name: value"'
  }),
  latency: Type.Union([Type.Literal('none'), Type.Literal('realistic')], {
    default: 'none',
    description: 'how long answers take'
  }),
  rate_limits: Type.Union([Type.Literal('off'), Type.Literal('observed')], {
    default: 'off',
    description: 'observed: refuse beyond the limits seen on the real API'
  })
})

/** `rayne simulator`: the simulated Datadog by itself, on two ports of this machine. */
export function commands(app: PluginApp<unknown>): void {
  app.command({
    name: 'simulator',
    summary: 'a simulated Datadog by itself, until Ctrl-C',
    description:
      'A simulated Datadog on two ports of this machine: one answers like Datadog, one controls it.',
    standalone: true,
    options,
    async run({ speed, ...input }) {
      const { startStandalone } = await import('../../simulator/main.ts')
      const simulator = await startStandalone(simulatorOptions(input), speed).catch(
        (error: unknown) => {
          throw new RayneError({
            code: demoErrors['simulator-refused'],
            message: error instanceof Error ? error.message : String(error),
            cause: error
          })
        }
      )
      return { value: simulator.said, lines: simulator.lines, close: simulator.close }
    }
  })
}

function simulatorOptions({
  data_port,
  control_port,
  rate_limits,
  t0,
  webhook_target,
  webhook_header,
  ...rest
}: Omit<Static<typeof options>, 'speed'>): StandaloneOptions {
  const headers = webhook_header.map((line): [string, string] => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()]
  })
  return {
    ...rest,
    dataPort: data_port,
    controlPort: control_port,
    rateLimits: rate_limits,
    ...(t0 === undefined ? {} : { t0: Date.parse(t0) }),
    ...(webhook_target === undefined
      ? {}
      : { webhookTarget: { url: webhook_target, headers: Object.fromEntries(headers) } })
  }
}
