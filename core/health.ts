import { errorText } from './errors.ts'

/** A question about the platform's health, asked by `/readyz` and `rayne doctor`. */
export interface Probe {
  /** A failing required probe turns `/readyz` to 503; the others are shown and leave it alone. */
  readonly required: boolean
  /** Asks nobody outside this process: shown in `/readyz` though it is not required. */
  readonly local?: boolean
  /** Throws, or answers `ok: false`, when something is wrong; `fix` is the next step for a person. */
  run(signal: AbortSignal): Promise<ProbeResult>
}
export interface ProbeResult {
  readonly ok: boolean
  readonly detail: string
  readonly fix?: string
}
export interface CheckReport extends ProbeResult {
  readonly name: string
  readonly required: boolean
  readonly ms: number
}

const probeMs = 5_000

/** The probes of one application, run side by side, each with its own deadline. */
export function createHealth() {
  const probes: { name: string; probe: Probe }[] = []
  const run = async ({ name, probe }: { name: string; probe: Probe }): Promise<CheckReport> => {
    const started = performance.now()
    const late = new Promise<ProbeResult>(resolve =>
      setTimeout(resolve, probeMs, {
        ok: false,
        detail: `no answer within ${probeMs / 1000} s`
      }).unref()
    )
    const result = await Promise.race([probe.run(AbortSignal.timeout(probeMs)), late]).catch(
      (error: unknown): ProbeResult => ({ ok: false, detail: errorText(error) })
    )
    return {
      name,
      required: probe.required,
      ...result,
      ms: Math.round(performance.now() - started)
    }
  }
  return {
    add: (name: string, probe: Probe): void => {
      probes.push({ name, probe })
    },
    /** `near` keeps `/readyz` from calling the outside world on every look. */
    report: (near = false): Promise<CheckReport[]> =>
      Promise.all(probes.filter(({ probe }) => probe.required || probe.local || !near).map(run))
  }
}
export type Health = ReturnType<typeof createHealth>
