import { createHash } from 'node:crypto'
import { Type, type Static } from '../../../core/index.ts'
import { looksLikeInstruction, visible } from '../service/investigate/hostile-text.ts'
import { schemaProblems } from './check-schema.ts'
import { checkSource, maxSourceChars } from './check-source.ts'

const AnyObject = Type.Object({}, { additionalProperties: true })

/** An input a tool must answer; `recorded` are Datadog's answers by path, else the simulated account is asked. */
export const Example = Type.Object(
  {
    input: AnyObject,
    recorded: Type.Optional(
      Type.Array(
        Type.Object(
          { path: Type.String({ minLength: 1, maxLength: 300 }), answer: Type.Unknown() },
          { additionalProperties: false }
        ),
        { maxItems: 20 }
      )
    )
  },
  { additionalProperties: false }
)
export type Example = Static<typeof Example>

/** What a person, a client or a model proposes as a tool. */
export const Proposal = Type.Object(
  {
    name: Type.String({
      pattern: '^[a-z][a-z0-9_]{2,63}$',
      description: 'a verb and what it is about, e.g. count_failed_checkouts'
    }),
    purpose: Type.String({
      minLength: 20,
      maxLength: 1_000,
      description: 'when to use it and what it cannot do, for a model to read'
    }),
    input: Type.Object(
      {},
      { additionalProperties: true, description: 'JSON Schema of an object; without `account`' }
    ),
    output: Type.Object(
      {},
      { additionalProperties: true, description: 'JSON Schema of an object' }
    ),
    source: Type.String({
      minLength: 1,
      maxLength: maxSourceChars,
      description:
        'TypeScript without imports: export default async function run(input, { datadog }) { … }; ' +
        '`await datadog.get(path, query)` reads Datadog, at most 20 times'
    }),
    capabilities: Type.Array(Type.String({ pattern: '^/api/v[12]/[\\w./{}-]{1,200}$' }), {
      maxItems: 20,
      default: [],
      description: 'the paths it may read, e.g. /api/v1/monitor; what lies below one is read too'
    }),
    examples: Type.Array(Example, { minItems: 1, maxItems: 10 }),
    reason: Type.Optional(Type.String({ maxLength: 1_000 })),
    incident: Type.Optional(Type.String({ maxLength: 200 }))
  },
  { additionalProperties: false }
)
export type Proposal = Static<typeof Proposal>

/** One thing that is wrong with a proposal, by its field. */
export interface Problem {
  readonly field: string
  readonly message: string
}

/** What a proposal is approved by: every byte that decides what it does and how it is described. */
export const hashOf = ({ name, purpose, input, output, source, capabilities }: Proposal): string =>
  createHash('sha256')
    .update(JSON.stringify([name, purpose, input, output, source, [...capabilities].sort()]))
    .digest('hex')

/** The static checks, without running anything: problems by field, and what a person should look at twice. */
export function checkProposal(
  proposal: Proposal,
  taken: readonly string[]
): { readonly problems: readonly Problem[]; readonly warnings: readonly string[] } {
  const problems: Problem[] = []
  const add = (field: string, messages: readonly string[]): void => {
    for (const message of messages) problems.push({ field, message })
  }
  if (taken.includes(proposal.name))
    add('name', [`'${proposal.name}' is a tool that comes with Rayne or a plugin: choose another`])
  add('input', schemaProblems(proposal.input))
  add('output', schemaProblems(proposal.output))
  if (Object.hasOwn(propertiesOf(proposal.input), 'account'))
    add('input', ["has 'account', which every tool has already"])
  add('source', checkSource(proposal.source).problems)
  return { problems, warnings: warningsOf(proposal) }
}

function warningsOf({ purpose, source, input, output }: Proposal): string[] {
  const warnings: string[] = []
  const texts = [purpose, JSON.stringify([input, output])]
  if (texts.some(text => visible(text) !== text))
    warnings.push('the description holds characters nobody sees; they are left out')
  if (texts.some(looksLikeInstruction))
    warnings.push('the description speaks to the model instead of saying what the tool does')
  if (visible(source.replace(/[\n\r\t]/g, ' ')) !== source.replace(/[\n\r\t]/g, ' '))
    warnings.push('the source holds characters nobody sees')
  return warnings
}

const propertiesOf = (schema: { readonly properties?: unknown }): object =>
  typeof schema.properties === 'object' && schema.properties !== null ? schema.properties : {}
