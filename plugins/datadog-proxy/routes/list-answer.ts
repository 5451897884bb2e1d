import { Type } from '../../../core/index.ts'
import type { Asked, DatadogObject } from '../contract.ts'
import type { DatadogPage } from '../service/client/account.ts'
import { Failure, type Answers } from './ask-accounts.ts'

/** A row as Datadog describes it, with the name of its account. */
export const Row = Type.Object({ account: Type.String() }, { additionalProperties: true })
export type Row = DatadogObject & { readonly account: string }
export const Nullable = Type.Union([Type.Integer(), Type.Null()])
/** What was asked of Datadog; times are absolute. */
const AskedOf = Type.Object({
  query: Type.String(),
  from: Type.Optional(Type.String()),
  to: Type.Optional(Type.String()),
  limit: Type.Integer(),
  tier: Type.Optional(Type.String())
})

/** What every list says about itself besides its rows. */
export const About = {
  /** True when a simulated Datadog answered. */
  simulated: Type.Boolean(),
  accounts: Type.Array(Type.String(), { description: 'The accounts that answered' }),
  failures: Type.Array(Failure, { description: 'The accounts that did not, and why' }),
  warnings: Type.Array(Type.String()),
  asked: AskedOf
}
/** Paging by number. With `account=*` the page is that of each account. */
export const Paged = {
  total_count: Nullable,
  page: Type.Integer(),
  per_page: Type.Integer(),
  truncated: Type.Boolean({ description: 'There is more after this page' })
}

export const pageQuery = (least: number, most: number, usual: number) => ({
  page: Type.Integer({
    minimum: least,
    maximum: 100_000,
    default: least,
    description: `Counted from ${least}`
  }),
  per_page: Type.Integer({ minimum: 1, maximum: most, default: usual })
})

export interface About {
  readonly simulated: boolean
  readonly accounts: string[]
  readonly failures: Answers<unknown>['failures'][number][]
  readonly warnings: string[]
  readonly asked: Asked
}

/** The account names, failures and warnings of an answer; warnings of several accounts say whose they are. */
export function aboutOf(
  found: Answers<{ readonly warnings: readonly string[]; readonly asked: Asked }>,
  asked?: Asked
): About {
  const { answers, failures } = found
  const several = answers.length + failures.length > 1
  return {
    simulated: answers.some(answer => answer.simulated),
    accounts: answers.map(answer => answer.account),
    failures: [...failures],
    warnings: [
      ...found.warnings,
      ...answers.flatMap(({ account, value }) =>
        value.warnings.map(warning => (several ? `${account}: ${warning}` : warning))
      )
    ],
    asked: asked ?? answers[0]?.value.asked ?? { query: '', limit: 0 }
  }
}

/** The rows of all accounts, each with the name of its account. */
export const rowsOf = (found: Answers<Pick<DatadogPage, 'items'>>): Row[] =>
  found.answers.flatMap(({ account, value }) => value.items.map(item => ({ ...item, account })))

/** How many there are in all accounts, null when one does not say. */
export function totalOf(found: Answers<Pick<DatadogPage, 'total'>>): number | null {
  const totals = found.answers.map(answer => answer.value.total)
  return found.failures.length > 0 || totals.includes(undefined)
    ? null
    : totals.reduce((sum: number, total) => sum + (total ?? 0), 0)
}

/** The paging fields of a list. */
export const pagedOf = (
  found: Answers<DatadogPage>,
  page: number,
  perPage: number
): { total_count: number | null; page: number; per_page: number; truncated: boolean } => ({
  total_count: totalOf(found),
  page,
  per_page: perPage,
  truncated: found.answers.some(answer => answer.value.next !== undefined)
})
