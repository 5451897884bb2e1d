import { defineTool, Type } from '../core/index.ts'
import { DatadogToken } from '../plugins/datadog-proxy/contract.ts'
import { AnalysesToken } from '../plugins/rca/contract.ts'
import { rowsAnswer, saidOf } from './kit/answer.ts'

export default defineTool({
  name: 'start_analysis',
  title: 'Analyse a monitor',
  effect: 'write',
  description: [
    'Starts a root cause analysis of a monitor in the background and answers its id for get_analysis. Use it when a',
    'whole investigation is wanted. It does not wait for the end, and writes no notebook unless asked.'
  ].join(' '),
  input: Type.Object(
    {
      monitor_id: Type.String({ pattern: '^[0-9]{1,19}$' }),
      at: Type.Optional(
        Type.String({
          format: 'date-time',
          description: 'when it alerted; its last alert if absent'
        })
      ),
      notebook: Type.Boolean({ default: false, description: 'write the report to Datadog too' })
    },
    { additionalProperties: false }
  ),
  output: rowsAnswer(
    Type.Object({ analysis_id: Type.String(), status: Type.String(), resource: Type.String() })
  ),
  needs: { analyses: AnalysesToken, datadog: DatadogToken },
  timeoutMs: 20_000,
  examples: [{ input: { monitor_id: '23149714', notebook: false } }],
  async run({ monitor_id, at, notebook }, context, { analyses }) {
    const { account, signal, caller = 'a tool' } = context
    const id = await analyses.start(
      {
        monitor_id,
        notebook,
        ...(account === undefined ? {} : { account }),
        ...(at === undefined ? {} : { at })
      },
      caller,
      signal
    )
    return saidOf({
      rows: [{ analysis_id: id, status: 'pending', resource: `rayne://analysis/${id}` }],
      truncated: false,
      warnings: [],
      asked: { query: `analysis of monitor ${monitor_id}` }
    })
  }
})
