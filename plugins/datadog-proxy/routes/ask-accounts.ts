import {
  invalid,
  errorText,
  RayneError,
  Type,
  type RouteRequest,
  type Static
} from '../../../core/index.ts'
import type { CallOptions } from '../contract.ts'
import type { OpenAccount } from '../service/client/account.ts'
import { proxyErrors } from '../service/errors.ts'
import type { Datadog } from '../service/datadog.ts'

/** What one account answered. */
export interface Answer<T> {
  readonly account: string
  readonly simulated: boolean
  readonly value: T
}
export const Failure = Type.Object({
  account: Type.String(),
  code: Type.String(),
  status: Type.Integer(),
  error: Type.String(),
  retry_after: Type.Optional(Type.Number())
})
/** The answers of all accounts asked, and what went wrong with the others: nothing is left out silently. */
export interface Answers<T> {
  readonly answers: readonly Answer<T>[]
  readonly failures: readonly Static<typeof Failure>[]
  readonly warnings: readonly string[]
}

/** `account` of every proxy route. */
export const accountQuery = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 255,
    description: 'Name of an account; the default account when absent'
  })
)
export const accountsQuery = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 255,
    description: 'Name of an account, or * for all active ones; the default account when absent'
  })
)

const atOnce = 4
/** Ends before the time of the request is up, so that a slow Datadog is a 504 that says so. */
const timeoutMs = 25_000
type Work<T> = (account: OpenAccount, options: CallOptions) => Promise<T>

/** Asks one account; `*` is refused, because the route speaks of one thing in one account. */
export async function askOne<T>(
  datadog: Datadog,
  name: string | undefined,
  signal: AbortSignal,
  work: Work<T>
): Promise<Answer<T>> {
  if (name === '*')
    throw invalid('/query/account', 'names one account here, * is for reading lists')
  const account = await datadog.account(name)
  return {
    account: account.name,
    simulated: account.simulated,
    value: await work(account, { signal, timeoutMs })
  }
}

/** Asks the account named, or all active ones side by side for `*`; throws when not one of them answers. */
export async function askAccounts<T>(
  datadog: Datadog,
  name: string | undefined,
  request: Pick<RouteRequest, 'signal'>,
  work: Work<T>
): Promise<Answers<T>> {
  const { signal } = request
  if (name !== '*')
    return { answers: [await askOne(datadog, name, signal, work)], failures: [], warnings: [] }
  const { names, warnings } = await everyAccount(datadog)
  const answers: Answer<T>[] = []
  const failures: Static<typeof Failure>[] = []
  const waiting = [...names]
  const errors: unknown[] = []
  await Promise.all(
    Array.from({ length: Math.min(atOnce, names.length) }, async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        try {
          answers.push(await askOne(datadog, next, signal, work))
        } catch (error) {
          if (signal.aborted || !(error instanceof RayneError)) throw error
          errors.push(error)
          failures.push(failureOf(next, error))
        }
      }
    })
  )
  if (answers.length === 0) throw nobodyAnswered(failures, errors)
  const order = (account: string): number => names.indexOf(account)
  return {
    answers: answers.toSorted((a, b) => order(a.account) - order(b.account)),
    failures: failures.toSorted((a, b) => order(a.account) - order(b.account)),
    warnings
  }
}

/** All active accounts; simulated ones only when there is no real one, because the two are never mixed in an answer. */
async function everyAccount(
  datadog: Datadog
): Promise<{ names: readonly string[]; warnings: readonly string[] }> {
  const listed = await datadog.list()
  const real = listed.filter(account => !account.simulated)
  const names = (real.length > 0 ? real : listed).map(account => account.name)
  // The sentence that says what to do is the service's.
  if (names.length === 0) await datadog.account()
  const left = real.length > 0 ? listed.filter(account => account.simulated) : []
  return {
    names,
    warnings:
      left.length === 0
        ? []
        : [
            'simulated accounts are not mixed with real ones and were left out: ' +
              `${left.map(account => account.name).join(', ')}`
          ]
  }
}

function failureOf(account: string, error: RayneError): Static<typeof Failure> {
  const { retryAfterSeconds } = error.details
  return {
    account,
    code: error.code,
    status: error.status,
    error: errorText(error),
    ...(retryAfterSeconds === undefined ? {} : { retry_after: retryAfterSeconds })
  }
}

function nobodyAnswered(
  failures: readonly Static<typeof Failure>[],
  errors: readonly unknown[]
): RayneError {
  const statuses = new Set(failures.map(failure => failure.status))
  const status = statuses.size === 1 ? (failures[0]?.status ?? 502) : 502
  return new RayneError({
    code: proxyErrors['datadog-no-account-answered'],
    status,
    message:
      `not one of ${failures.length} accounts answered; ` +
      `${failures.map(failure => `${failure.account}: ${failure.error}`).join('; ')}`,
    details: { failures },
    cause: errors[0]
  })
}
