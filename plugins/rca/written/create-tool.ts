import { defineTool, Type } from '../../../core/index.ts'
import type { Lifecycle } from './lifecycle.ts'
import { Proposal } from './proposal.ts'

const source = [
  'export default async function run(input: { monitor: string }, { datadog }) {',
  "  const monitor = await datadog.get('/api/v1/monitor/' + input.monitor)",
  "  return { name: String(monitor.name ?? ''), state: String(monitor.overall_state ?? 'unknown') }",
  '}'
].join('\n')

const example: Proposal = {
  name: 'get_monitor_state',
  purpose: 'The name and the overall state of one monitor by its id; it cannot list monitors.',
  input: {
    type: 'object',
    properties: { monitor: { type: 'string' } },
    required: ['monitor'],
    additionalProperties: false
  },
  output: {
    type: 'object',
    properties: { name: { type: 'string' }, state: { type: 'string' } },
    required: ['name', 'state'],
    additionalProperties: false
  },
  source,
  capabilities: ['/api/v1/monitor/{id}'],
  examples: [
    {
      input: { monitor: '1' },
      recorded: [{ path: '/api/v1/monitor/1', answer: { name: 'CPU', overall_state: 'OK' } }]
    }
  ]
}

/** The tool that proposes tools: what it is given is checked and run on its examples, and waits for a person. */
export const createToolTool = (lifecycle: Lifecycle) =>
  defineTool({
    name: 'create_tool',
    title: 'Propose a tool',
    effect: 'write',
    description: [
      'Proposes a tool that reads Datadog, for what no tool here answers: it is checked and run on its examples in a ',
      'sandbox. It cannot be called until a person has approved it; the answer says what is wrong with it.'
    ].join(''),
    input: Proposal,
    output: Type.Object({
      name: Type.String(),
      version: Type.Integer(),
      state: Type.String(),
      hash: Type.String(),
      failed_examples: Type.Array(Type.String()),
      warnings: Type.Array(Type.String()),
      next: Type.String()
    }),
    timeoutMs: 90_000,
    examples: [{ input: example }],
    async run(proposal, { caller = 'the platform' }) {
      const row = await lifecycle.propose(proposal, caller)
      const failed = row.tests.flatMap(({ message }, n) =>
        message === null ? [] : [`example ${n + 1}: ${message}`]
      )
      return {
        name: row.name,
        version: row.version,
        state: row.state,
        hash: row.hash,
        failed_examples: failed,
        warnings: [...row.warnings],
        next:
          row.state === 'tested'
            ? `a person approves it: rayne tools approve ${row.name} ${row.version} --hash ${row.hash}`
            : row.state === 'draft'
              ? 'mend what failed and propose it again'
              : 'it is served already'
      }
    }
  })
