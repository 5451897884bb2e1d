import { defineTool, Type } from '../core/index.ts'
import { DatadogToken } from '../plugins/datadog-proxy/contract.ts'
import { rowsAnswer, saidOf } from './kit/answer.ts'

export default defineTool({
  name: 'list_accounts',
  title: 'Datadog accounts',
  effect: 'read',
  description: [
    'The Datadog accounts that can be asked, with site and whether one is simulated. Use it for the names that the ',
    '`account` of other tools takes. It shows no keys.'
  ].join(''),
  input: Type.Object({}, { additionalProperties: false }),
  output: rowsAnswer(
    Type.Object({
      name: Type.String(),
      site: Type.String(),
      simulated: Type.Boolean(),
      is_default: Type.Boolean()
    })
  ),
  needs: { datadog: DatadogToken },
  timeoutMs: 5_000,
  examples: [{ input: {} }],
  async run(_input, _context, { datadog }) {
    const accounts = await datadog.list()
    return saidOf({
      rows: accounts.map(({ isDefault, ...one }) => ({ ...one, is_default: isDefault })),
      truncated: false,
      warnings: [],
      asked: { query: 'all accounts' },
      whenEmpty: 'no account is configured: `rayne accounts` or the page of the accounts adds one'
    })
  }
})
