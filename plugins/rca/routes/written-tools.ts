import { compile, invalid, Type, type PluginApp, type Static } from '../../../core/index.ts'
import { writtenStates, type WrittenRow } from '../store/written-tools.ts'
import { Proposal } from '../written/proposal.ts'
import type { Rca } from './rca.ts'
import { nullableText } from './wire.ts'

/** Which tool, which version of it, and the hash of what was looked at; for commands too. */
export const Name = Type.Object({ name: Type.String({ pattern: '^[a-z][a-z0-9_]{0,63}$' }) })
export const Version = Type.Integer({ minimum: 1, maximum: 1_000_000 })
export const Hash = Type.String({
  pattern: '^[0-9a-f]{64}$',
  description: 'of the version as it was looked at: another one is refused'
})

/** A version as the list shows it. */
const Summary = Type.Object({
  name: Type.String(),
  version: Version,
  state: Type.Enum(writtenStates),
  hash: Type.String(),
  purpose: Type.String(),
  author: Type.String(),
  approved_by: nullableText,
  note: nullableText,
  calls: Type.Integer(),
  failures: Type.Integer(),
  created_at: Type.String()
})
/** A version whole: what a person looks at before approving it. */
export const WrittenTool = Type.Interface([Summary], {
  proposal: Proposal,
  warnings: Type.Array(Type.String()),
  tests: Type.Array(
    Type.Object({
      passed: Type.Boolean(),
      took_ms: Type.Integer(),
      message: nullableText,
      answer: nullableText
    })
  )
})

/** A version in the words of the list. */
export const summaryOf = (row: WrittenRow): Static<typeof Summary> => ({
  name: row.name,
  version: row.version,
  state: row.state,
  hash: row.hash,
  purpose: row.proposal.purpose,
  author: row.author,
  approved_by: row.approved_by,
  note: row.note,
  calls: row.calls,
  failures: row.failures,
  created_at: row.created_at.toISOString()
})
/** A version on the wire. */
export const wholeOf = (row: WrittenRow): Static<typeof WrittenTool> => ({
  ...summaryOf(row),
  proposal: row.proposal,
  warnings: [...row.warnings],
  tests: [...row.tests]
})

/** A proposal, or the first version's body of two fields; which one is read off the names. */
const ProposalBody = Type.Object(
  {
    ...Type.Partial(Proposal).properties,
    module_name: Type.Optional(Proposal.properties.name),
    function_code: Type.Optional(Type.String({ minLength: 1, maxLength: 20_000 }))
  },
  { additionalProperties: false }
)
const readProposal = compile(Proposal)

/** Tools written at run time: proposed by programs, decided on by people. */
export function writtenToolRoutes(app: PluginApp<unknown>, { lifecycle }: Rca): void {
  app.route({
    method: 'POST',
    path: '/tools/create-function',
    auth: 'scope:tools',
    summary: 'Propose a tool: it is checked, run on its examples, and waits for a person',
    body: ProposalBody,
    response: Type.Object({
      success: Type.Boolean(),
      module: Type.String(),
      path: Type.String(),
      timestamp: Type.String(),
      tool: WrittenTool
    }),
    async handle({ body, principal }) {
      const proposal = proposalOf(body)
      const row = await lifecycle.propose(proposal, `${principal.kind} ${principal.name}`)
      return {
        success: row.state !== 'draft',
        module: row.name,
        path: `tools/auto/${row.name}.ts`,
        timestamp: new Date().toISOString(),
        tool: wholeOf(row)
      }
    }
  })
  app.route({
    method: 'GET',
    path: '/tools/{name}',
    auth: 'user',
    summary: 'A tool written at run time: its versions, newest first, each with source and hash',
    params: Name,
    response: Type.Object({ name: Type.String(), versions: Type.Array(WrittenTool) }),
    async handle({ params: { name } }) {
      await lifecycle.find(name)
      return { name, versions: (await lifecycle.versions(name)).map(wholeOf) }
    }
  })
  decisions(app, { lifecycle })
}

function decisions(app: PluginApp<unknown>, { lifecycle }: Pick<Rca, 'lifecycle'>): void {
  app.route({
    method: 'POST',
    path: '/tools/{name}/test',
    auth: 'scope:tools',
    summary: 'Run the examples of a written tool again',
    params: Name,
    body: Type.Object({ version: Type.Optional(Version) }, { additionalProperties: false }),
    response: WrittenTool,
    handle: async ({ params: { name }, body: { version } }) =>
      wholeOf(await lifecycle.test(name, version))
  })
  app.route({
    method: 'POST',
    path: '/tools/{name}/approve',
    auth: 'admin',
    summary: 'Serve a version of a written tool: by a person, for the hash that was looked at',
    params: Name,
    body: Type.Object({ version: Version, hash: Hash }, { additionalProperties: false }),
    response: WrittenTool,
    handle: async ({ params: { name }, body: { version, hash }, principal }) =>
      wholeOf(await lifecycle.approve(name, version, hash, principal))
  })
  app.route({
    method: 'POST',
    path: '/tools/{name}/reject',
    auth: 'admin',
    summary: 'Turn a version of a written tool down, served or not',
    params: Name,
    body: Type.Object(
      { version: Version, reason: Type.String({ maxLength: 1_000, default: '' }) },
      { additionalProperties: false }
    ),
    response: WrittenTool,
    handle: async ({ params: { name }, body: { version, reason }, principal }) =>
      wholeOf(await lifecycle.reject(name, version, reason, principal))
  })
  app.route({
    method: 'POST',
    path: '/tools/{name}/roll-back',
    auth: 'admin',
    summary: 'Serve the version before again, or none when there is none',
    params: Name,
    response: WrittenTool,
    handle: async ({ params: { name }, principal }) =>
      wholeOf(await lifecycle.rollBack(name, principal))
  })
}

function proposalOf({
  module_name: name,
  function_code: source,
  ...body
}: Static<typeof ProposalBody>): Proposal {
  if (name === undefined && source === undefined) return readProposal(body, 'body')
  if (name === undefined) throw invalid('/body/module_name', 'must be there beside function_code')
  if (source === undefined) throw invalid('/body/function_code', 'must be there beside module_name')
  if (!/\bexport\s+default\b/.test(source))
    throw invalid(
      '/body/function_code',
      'must be TypeScript: export default async function run(input, { datadog }) { … }'
    )
  return {
    name,
    purpose: `The function ${name}, proposed by its source alone: nobody has said what it is for.`,
    input: { type: 'object', properties: {}, additionalProperties: true },
    output: { type: 'object', additionalProperties: true },
    source,
    capabilities: [],
    examples: [{ input: {} }]
  }
}
