import { execFile } from 'node:child_process'
import { RayneError, type Logger } from '../../../core/index.ts'
import type { PrivateLocationSettings } from '../config.ts'
import { proxyErrors } from './errors.ts'

/** One command and how it ended; `exitCode` is null when it did not end by itself. */
export interface Step {
  readonly argv: readonly string[]
  readonly exitCode: number | null
  readonly timedOut: boolean
  readonly stdout: string
  readonly stderr: string
  readonly ms: number
}
type Command = readonly [string, ...string[]]

const maxOutputBytes = 64 * 1024

/** The worker of a private location on this machine, one operation at a time. */
export function createPrivateLocation(settings: PrivateLocationSettings, log: Logger) {
  const commands = commandsOf(settings)
  const timeoutMs = settings.private_location_timeout_seconds * 1000
  let running: string | undefined
  return {
    /** Runs an action of `privateLocationActions`; a command that fails is thrown with what it printed. */
    async run(action: string): Promise<readonly Step[]> {
      if (settings.private_location_runner === '') throw isOff()
      const wanted = Object.hasOwn(commands, action) ? commands[action] : undefined
      if (!wanted) throw unknown(action)
      if (running !== undefined) throw isBusy(running)
      running = action
      try {
        const steps = await runAll(wanted, timeoutMs)
        log.info(
          { action, exitCodes: steps.map(step => step.exitCode) },
          'private location operation'
        )
        return steps
      } finally {
        running = undefined
      }
    }
  }
}
export type PrivateLocation = ReturnType<typeof createPrivateLocation>

/** The actions there are, as a request names them. */
export const privateLocationActions = ['pull', 'remove', 'restart', 'stop', 'pp'] as const

/** Every command there is: nothing of a request becomes part of one. */
function commandsOf({
  private_location_runner: runner,
  private_location_service_runner: services,
  private_location_image: image,
  private_location_unit: unit
}: PrivateLocationSettings): Readonly<Record<string, readonly Command[]>> {
  const pull: Command = [runner, 'pull', image]
  const remove: Command = [runner, 'image', 'rm', '--force', image]
  return {
    pull: [pull],
    remove: [remove],
    restart: [[services, 'restart', unit]],
    stop: [[services, 'stop', unit]],
    pp: [remove, pull]
  } satisfies Record<(typeof privateLocationActions)[number], readonly Command[]>
}

const isOff = (): RayneError =>
  new RayneError({
    code: proxyErrors['private-location-off'],
    message: [
      'private location operations are off:',
      'set RAYNE_DATADOG_PROXY_PRIVATE_LOCATION_RUNNER to podman or docker'
    ].join(' ')
  })
const unknown = (action: string): RayneError =>
  new RayneError({
    code: proxyErrors['private-location-action-unknown'],
    message: `there is no action '${action}'; there is ${privateLocationActions.join(', ')}`
  })
const isBusy = (running: string): RayneError =>
  new RayneError({
    code: proxyErrors['private-location-busy'],
    message: `'${running}' is under way; try again when it is done`
  })

async function runAll(commands: readonly Command[], timeoutMs: number): Promise<Step[]> {
  const endsAt = Date.now() + timeoutMs
  const steps: Step[] = []
  for (const argv of commands) {
    const step = await run(argv, Math.max(1, endsAt - Date.now()))
    steps.push(step)
    if (step.exitCode !== 0)
      throw new RayneError({
        code: proxyErrors['private-location-failed'],
        message: `${argv.join(' ')} ${endOf(step, timeoutMs)}`,
        details: { steps: steps.map(stepOnWire) }
      })
  }
  return steps
}

const endOf = ({ timedOut, exitCode }: Step, timeoutMs: number): string =>
  timedOut
    ? `did not end within ${timeoutMs / 1000} s and was stopped`
    : `ended with exit code ${exitCode ?? 'unknown'}`

/** A step as answers show it. */
export const stepOnWire = ({ argv, exitCode, timedOut, stdout, stderr, ms }: Step) => ({
  argv: [...argv],
  exit_code: exitCode,
  timed_out: timedOut,
  stdout,
  stderr,
  ms
})

function run(argv: Command, timeoutMs: number): Promise<Step> {
  const [file, ...args] = argv
  const started = performance.now()
  const { PATH, HOME, XDG_RUNTIME_DIR } = process.env
  // The rest of our environment holds secrets.
  const env = { PATH, HOME, ...(XDG_RUNTIME_DIR === undefined ? {} : { XDG_RUNTIME_DIR }) }
  return new Promise(resolve => {
    execFile(
      file,
      args,
      {
        env,
        timeout: timeoutMs,
        killSignal: 'SIGKILL',
        maxBuffer: maxOutputBytes,
        windowsHide: true
      },
      (error, stdout, stderr) => {
        const code: unknown = error ? error.code : 0
        const why =
          error && typeof code !== 'number'
            ? `${stderr}${stderr ? '\n' : ''}${typeof code === 'string' ? code : error.message}`
            : stderr
        resolve({
          argv: [...argv],
          exitCode: typeof code === 'number' ? code : null,
          timedOut: error?.killed === true && code !== 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER',
          stdout,
          stderr: why,
          ms: Math.round(performance.now() - started)
        })
      }
    )
  })
}
