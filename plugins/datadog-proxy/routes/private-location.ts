import { execFile } from 'node:child_process'
import { RayneError, Type, type PluginApp, type Static } from '../../../core/index.ts'
import { proxyErrors } from '../service/errors.ts'

/** Settings of the private location on this machine; without a runner its operations are off. */
export const privateLocationSettings = {
  private_location_runner: Type.String({
    default: '',
    pattern: '^$|^(podman|docker|/[\\w./-]+)$',
    description: 'podman, docker or the absolute path of one; empty turns POST /v1/pl/refresh off.'
  }),
  private_location_service_runner: Type.String({
    default: 'systemctl',
    pattern: '^(systemctl|/[\\w./-]+)$',
    description: 'systemctl, or its absolute path.'
  }),
  private_location_image: Type.String({
    default: 'gcr.io/datadoghq/synthetics-private-location-worker:latest',
    pattern: '^\\w[\\w.:/@-]*$',
    description: 'Image of the private location worker.'
  }),
  private_location_unit: Type.String({
    default: 'container-restart.service',
    pattern: '^\\w[\\w@.-]*\\.service$',
    description: 'systemd unit that runs the worker.'
  }),
  private_location_timeout_seconds: Type.Integer({
    default: 50,
    minimum: 1,
    maximum: 55,
    description: 'Of one operation with all its commands.'
  })
}
const Settings = Type.Object(privateLocationSettings)
/** What the operations need of the plugin's settings. */
export type PrivateLocationSettings = Static<typeof Settings>

type Step = Static<typeof Step>
const Step = Type.Object({
  argv: Type.Array(Type.String()),
  exit_code: Type.Union([Type.Integer(), Type.Null()]),
  timed_out: Type.Boolean(),
  stdout: Type.String(),
  stderr: Type.String(),
  ms: Type.Integer()
})
const mostOutput = 64 * 1024

/** Every command there is: nothing of a request becomes part of one. */
function commandsOf(
  settings: PrivateLocationSettings
): Readonly<Record<string, readonly (readonly [string, ...string[]])[]>> {
  const {
    private_location_runner: runner,
    private_location_service_runner: services,
    private_location_image: image,
    private_location_unit: unit
  } = settings
  const pull = [runner, 'pull', image] as const
  const remove = [runner, 'image', 'rm', '--force', image] as const
  const restart = [services, 'restart', unit] as const
  return {
    pull: [[...pull]],
    remove: [[...remove]],
    restart: [[...restart]],
    stop: [[services, 'stop', unit]],
    pp: [[...remove], [...pull]]
  }
}

/** Operations on the worker of a private location on this machine, for admins, one at a time; GET is answered 405 by the platform. */
export function privateLocationRoutes(
  app: PluginApp<unknown>,
  settings: PrivateLocationSettings
): void {
  const commands = commandsOf(settings)
  let running: string | undefined
  app.route({
    method: 'POST',
    path: '/pl/refresh/{action}',
    auth: 'admin',
    summary: 'Pull, remove, restart or stop the private location worker on this machine',
    description: `Actions: ${Object.keys(commands).join(', ')}; pp removes and pulls. Off unless RAYNE_DATADOG_PROXY_PRIVATE_LOCATION_RUNNER is set. A command that fails is a 502 with its exit code and output.`,
    params: Type.Object({ action: Type.String({ maxLength: 40 }) }),
    response: Type.Object({ action: Type.String(), steps: Type.Array(Step) }),
    also: {
      404: 'off, or no such action',
      409: 'an operation is under way',
      502: 'a command failed'
    },
    async handle({ params: { action }, log }) {
      if (settings.private_location_runner === '')
        throw new RayneError({
          code: proxyErrors['private-location-off'],
          message:
            'private location operations are off: set RAYNE_DATADOG_PROXY_PRIVATE_LOCATION_RUNNER to podman or docker'
        })
      const wanted = Object.hasOwn(commands, action) ? commands[action] : undefined
      if (!wanted)
        throw new RayneError({
          code: proxyErrors['private-location-action-unknown'],
          message: `there is no action '${action}'; there is ${Object.keys(commands).join(', ')}`
        })
      if (running !== undefined)
        throw new RayneError({
          code: proxyErrors['private-location-busy'],
          message: `'${running}' is under way; try again when it is done`
        })
      running = action
      try {
        const steps = await runAll(wanted, settings.private_location_timeout_seconds * 1000)
        log.info(
          { action, exitCodes: steps.map(step => step.exit_code) },
          'private location operation'
        )
        return { action, steps }
      } finally {
        running = undefined
      }
    }
  })
}

async function runAll(
  commands: readonly (readonly [string, ...string[]])[],
  timeoutMs: number
): Promise<Step[]> {
  const endsAt = Date.now() + timeoutMs
  const steps: Step[] = []
  for (const argv of commands) {
    const step = await run(argv, Math.max(1, endsAt - Date.now()))
    steps.push(step)
    if (step.exit_code !== 0)
      throw new RayneError({
        code: proxyErrors['private-location-failed'],
        message: `${argv.join(' ')} ${step.timed_out ? `did not end within ${timeoutMs / 1000} s and was stopped` : `ended with exit code ${step.exit_code ?? 'unknown'}`}`,
        details: { steps }
      })
  }
  return steps
}

function run(argv: readonly [string, ...string[]], timeoutMs: number): Promise<Step> {
  const [file, ...args] = argv
  const started = performance.now()
  const { PATH, HOME, XDG_RUNTIME_DIR } = process.env
  // The rest of our environment holds secrets.
  const env = { PATH, HOME, ...(XDG_RUNTIME_DIR === undefined ? {} : { XDG_RUNTIME_DIR }) }
  return new Promise(resolve => {
    execFile(
      file,
      args,
      { env, timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: mostOutput, windowsHide: true },
      (error, stdout, stderr) => {
        const code: unknown = error ? error.code : 0
        const why =
          error && typeof code !== 'number'
            ? `${stderr}${stderr ? '\n' : ''}${typeof code === 'string' ? code : error.message}`
            : stderr
        resolve({
          argv: [...argv],
          exit_code: typeof code === 'number' ? code : null,
          timed_out: error?.killed === true && code !== 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER',
          stdout,
          stderr: why,
          ms: Math.round(performance.now() - started)
        })
      }
    )
  })
}
