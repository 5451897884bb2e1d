import { invalid, type Static } from '../../../core/index.ts'
import type { OpenSession } from '../contract.ts'
import { checkPatches, readPatch } from './patches.ts'
import type { Heartbeat, Open } from './schemas.ts'
import { isSessionId } from './session-id.ts'
import { readClientTime } from './time.ts'

/** A field that may be left out, as an object to be spread. */
const given = <K extends string, V>(key: K, value: V | null | undefined): { [P in K]?: V } =>
  value === undefined || value === null ? {} : ({ [key]: value } as { [P in K]: V })

/** A session as the wire opens it; `saidStartedAt` is what a client with a wrong clock said. */
export interface WireOpening extends OpenSession {
  readonly saidStartedAt?: number
}

/** A session as the wire opens it; `now` is epoch milliseconds. */
export function readOpening(
  { machine_id, started_at, state, heartbeat, ...session }: Static<typeof Open>,
  now: number
): WireOpening {
  const { at, said } = readClientTime(started_at, '/body/started_at', now)
  if (state) checkPatches([readPatch(state, '/body/state')], '/body/state')
  return {
    ...given('id', session.id),
    ...given('product', session.product),
    ...given('version', session.version),
    ...given('machineId', machine_id),
    ...given('hostname', session.hostname),
    ...given('startedAt', at),
    ...given('saidStartedAt', said),
    ...given('state', state),
    ...given('heartbeat', heartbeat && limitsOf(heartbeat))
  }
}

const limitsOf = (limits: NonNullable<Static<typeof Open>['heartbeat']>) => ({
  ...given('hungAfterSeconds', limits.hung_after_seconds),
  ...given('crashedAfterSeconds', limits.crashed_after_seconds)
})

/** A beat as the wire says it; throws a 400 for limits in the wrong order. */
export function readBeat({
  hung_after_seconds: hungAfterSeconds,
  crashed_after_seconds: crashedAfterSeconds,
  suspended
}: Static<typeof Heartbeat>) {
  if (
    hungAfterSeconds !== undefined &&
    crashedAfterSeconds !== undefined &&
    crashedAfterSeconds < hungAfterSeconds
  )
    throw invalid('/body/crashed_after_seconds', 'must not be less than hung_after_seconds')
  return { hungAfterSeconds, crashedAfterSeconds, suspended }
}

/** The key of a write that came as a header. */
export function headerKey(value: string | string[] | undefined): string | null {
  if (value === undefined) return null
  if (typeof value === 'string' && value.length > 0 && value.length <= 128) return value
  throw invalid('/header/idempotency-key', 'must have 1 to 128 characters')
}

/** The id of a session that its client chose, in the same header. */
export function headerId(value: string | undefined): string | null {
  if (value === undefined || isSessionId(value)) return value ?? null
  throw invalid('/header/idempotency-key', 'must be a UUID where it opens a session')
}
