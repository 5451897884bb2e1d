import type { Proposal } from '../../written/proposal.ts'

/** A proposal that passes, with what a test changes of it. */
export const proposal = (more: Partial<Proposal> = {}): Proposal => ({
  name: 'double_a_number',
  purpose: 'Doubles the number it is given; it reads nothing and cannot do anything else.',
  input: {
    type: 'object',
    properties: { number: { type: 'integer', minimum: 0, maximum: 1000 } },
    required: ['number'],
    additionalProperties: false
  },
  output: {
    type: 'object',
    properties: { doubled: { type: 'integer' } },
    required: ['doubled'],
    additionalProperties: false
  },
  source:
    'export default async function run(input: { number: number }) {\n' +
    '  return { doubled: input.number * 2 }\n}',
  capabilities: [],
  examples: [{ input: { number: 2 } }],
  ...more
})

/** One that asks Datadog. */
export const reading = (more: Partial<Proposal> = {}): Proposal =>
  proposal({
    name: 'get_monitor_state',
    input: { type: 'object', properties: { id: { type: 'string' } }, required: ['id'] },
    output: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] },
    source:
      'export default async (input, { datadog }) =>\n' +
      "  ({ name: (await datadog.get('/api/v1/monitor/' + input.id)).name })",
    capabilities: ['/api/v1/monitor/{id}'],
    examples: [
      { input: { id: '7' }, recorded: [{ path: '/api/v1/monitor/7', answer: { name: 'CPU' } }] }
    ],
    ...more
  })
