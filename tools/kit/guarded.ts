import {
  Type,
  type Resolved,
  type Static,
  type Tool,
  type TObject,
  type TSchema
} from '../../core/index.ts'
import { DatadogToken, type DatadogAccount } from '../../plugins/datadog-proxy/contract.ts'
import { ApprovalsToken } from '../../plugins/rca/contract.ts'
import { saidFields, saidOf } from './answer.ts'

type Fields = Readonly<Record<string, TSchema>>

/** What one change would do, in a sentence, and the change itself. */
export interface Change {
  readonly says: string
  /** Answers what is there now; `id` is the approval's, for a mark that makes it findable. */
  make(id: string): Promise<{ readonly result: string; readonly link?: string }>
}

const textOrNull = Type.Union([Type.String(), Type.Null()])
const Row = Type.Object({
  done: Type.Boolean(),
  says: Type.String({ description: 'what is changed' }),
  result: Type.String(),
  approval_id: textOrNull,
  decide_before: textOrNull
})

/** A caller's own field names, and these two. */
const guard = {
  dry_run: Type.Boolean({
    default: true,
    description: 'true: say what would change, change nothing'
  }),
  approval: Type.Optional(
    Type.String({ maxLength: 200, description: 'what a person got for approving the dry run' })
  )
}

/**
 * A tool that changes Datadog: it says first what it would do, and does it only with the approval of a person for
 * exactly that tool, account and input, once and within 15 minutes.
 */
export function defineGuarded<F extends Fields>(spec: {
  readonly name: string
  readonly title: string
  readonly effect: 'write' | 'destroy'
  readonly description: readonly string[]
  readonly input: F
  readonly example: Static<TObject<F>>
  /** Checks the input against Datadog; changes nothing. */
  plan(
    input: Static<TObject<F>>,
    asking: { readonly account: DatadogAccount; readonly signal: AbortSignal }
  ): Promise<Change>
}): Tool {
  return {
    name: spec.name,
    title: spec.title,
    effect: spec.effect,
    description: [...spec.description, 'A person approves it first; it cannot act alone.'].join(
      ' '
    ),
    input: Type.Object({ ...spec.input, ...guard }, { additionalProperties: false }),
    output: Type.Object({
      account: Type.String(),
      simulated: Type.Boolean(),
      ...saidFields(Row)
    }),
    needs: { datadog: DatadogToken, approvals: ApprovalsToken },
    timeoutMs: 40_000,
    examples: [{ input: { ...spec.example, dry_run: true } }],
    async run(given, context, services) {
      const { datadog, approvals } = services as Resolved<{
        datadog: typeof DatadogToken
        approvals: typeof ApprovalsToken
      }>
      const { dry_run: dryRun, approval, ...input } = given as Record<string, unknown>
      const account = await datadog.account(context.account)
      const by = context.caller ?? 'this process'
      const change = await spec.plan(input as Static<TObject<F>>, {
        account,
        signal: context.signal
      })
      const wish = { tool: spec.name, account: account.name, input, says: change.says }
      const about = { account: account.name, simulated: account.simulated }
      const asked = { query: change.says }
      if (dryRun !== false) {
        const { id, expiresAt } = await approvals.propose(wish, by)
        const warning =
          `nothing was changed: an admin approves with POST /v1/rca/approvals/${id} ` +
          '{"decision": "approved"} and gives you the approval; then call again with the same input, ' +
          'dry_run: false and the approval'
        const row = {
          done: false,
          says: change.says,
          result: 'nothing was changed',
          approval_id: id,
          decide_before: expiresAt.toISOString()
        }
        return {
          ...about,
          ...saidOf({ rows: [row], truncated: false, warnings: [warning], asked })
        }
      }
      const spent = await approvals.spend(approval as string | undefined, wish, by)
      const made = await carriedOut(change, spent)
      const row = {
        done: true,
        says: change.says,
        result: made.result,
        approval_id: spent.id,
        decide_before: null
      }
      const link = made.link === undefined ? {} : { link: made.link }
      return {
        ...about,
        ...saidOf({ rows: [row], truncated: false, warnings: [], asked, ...link })
      }
    }
  }
}

/** Makes the change and writes down what came of it. */
async function carriedOut(
  change: Change,
  spent: { readonly id: string; done(outcome: string): Promise<void> }
) {
  try {
    const made = await change.make(spent.id)
    await spent.done(`done: ${made.result}`)
    return made
  } catch (error) {
    await spent.done(`failed: ${error instanceof Error ? error.message : 'for an unknown reason'}`)
    throw error
  }
}
