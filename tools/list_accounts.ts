import { defineTool, Type } from '../core/index.ts'
import { DatadogToken } from '../plugins/datadog-proxy/contract.ts'

export default defineTool({
  name: 'list_accounts',
  title: 'Datadog accounts',
  effect: 'read',
  description: [
    'The Datadog accounts that can be asked, with site and whether one is simulated. Use it for the names that the ',
    '`account` of other tools takes. It shows no keys.'
  ].join(''),
  input: Type.Object({}, { additionalProperties: false }),
  output: Type.Object({
    rows: Type.Array(
      Type.Object({
        name: Type.String(),
        site: Type.String(),
        simulated: Type.Boolean(),
        is_default: Type.Boolean()
      })
    ),
    truncated: Type.Boolean(),
    note: Type.Union([Type.String(), Type.Null()])
  }),
  needs: { datadog: DatadogToken },
  timeoutMs: 5_000,
  examples: [{ input: {} }],
  async run(_input, _context, { datadog }) {
    const accounts = await datadog.list()
    return {
      rows: accounts.map(({ isDefault, ...one }) => ({ ...one, is_default: isDefault })),
      truncated: false,
      note: accounts.length === 0 ? 'no account is configured' : null
    }
  }
})
