import {
  Type,
  type Resolved,
  type Static,
  type Tokens,
  type Tool,
  type TObject,
  type TSchema
} from '../../core/index.ts'
import {
  DatadogToken,
  type DatadogAccount,
  type DatadogService
} from '../../plugins/datadog-proxy/contract.ts'
import { saidFields, saidOf, type Found } from './answer.ts'

type Fields = Readonly<Record<string, TSchema>>

/** What a reading tool asks with besides its input. */
export interface Asking {
  readonly account: DatadogAccount
  readonly accounts: DatadogService
  readonly signal: AbortSignal
}

/** How many rows are wanted. */
export const limitOf = (most: number, usual: number) =>
  Type.Integer({ minimum: 1, maximum: most, default: usual })

/** A text that must not be empty of meaning to Datadog's search, with an example. */
export const searchText = (description: string) => Type.String({ maxLength: 2_000, description })

/**
 * A tool that asks one Datadog account and answers rows: with the absolute window it asked, whether rows are missing,
 * how many there are when that is known, why there are none, and the page of Datadog that shows the same.
 */
export function defineReader<
  F extends Fields,
  R extends TObject,
  N extends Tokens = Record<never, never>
>(spec: {
  readonly name: string
  readonly title: string
  readonly description: readonly string[]
  readonly input: F
  readonly row: R
  readonly needs?: N
  readonly timeoutMs?: number
  readonly example: Static<TObject<F>>
  ask(input: Static<TObject<F>>, asking: Asking, services: Resolved<N>): Promise<Found<Static<R>>>
}): Tool {
  // The pieces are checked where the tool is written; here their types are forgotten, as the registry wants them.
  return {
    name: spec.name,
    title: spec.title,
    effect: 'read',
    description: spec.description.join(' '),
    input: Type.Object(spec.input, { additionalProperties: false }),
    output: Type.Object({
      account: Type.String(),
      simulated: Type.Boolean(),
      ...saidFields(spec.row)
    }),
    needs: { ...spec.needs, datadog: DatadogToken },
    timeoutMs: spec.timeoutMs ?? 20_000,
    examples: [{ input: spec.example }],
    async run(input, context, services) {
      const { datadog, ...own } = services as Resolved<N> & { readonly datadog: DatadogService }
      const account = await datadog.account(context.account)
      const asking = { account, accounts: datadog, signal: context.signal }
      const found = await spec.ask(input as Static<TObject<F>>, asking, own as Resolved<N>)
      return { account: account.name, simulated: account.simulated, ...saidOf(found) }
    }
  }
}
