import { invalid, Type } from '../core/index.ts'
import { AnalysesToken } from '../plugins/rca/contract.ts'
import { defineReader } from './kit/reader.ts'

export default defineReader({
  name: 'find_similar_incidents',
  title: 'Incidents like this one',
  description: [
    'Earlier analysed incidents of the account that look like an analysis, or like given words and error lines, with',
    'the cause a person confirmed. Use it for a hypothesis to test. It is not evidence: causes differ.'
  ],
  input: {
    analysis_id: Type.Optional(Type.String({ format: 'uuid', description: 'compare this one' })),
    service: Type.String({ maxLength: 200, default: '', description: 'that logs the lines' }),
    words: Type.String({
      maxLength: 1_000,
      default: '',
      description: 'name of the alert, e.g. High error rate on checkout-api'
    }),
    error_lines: Type.Array(Type.String({ maxLength: 1_000 }), { maxItems: 20, default: [] })
  },
  row: Type.Object({
    analysis_id: Type.String(),
    name: Type.String(),
    at: Type.String(),
    similarity: Type.Number({ description: '0 to 1' }),
    confirmed_cause: Type.Union([Type.String(), Type.Null()]),
    reasons: Type.String(),
    resource: Type.String()
  }),
  needs: { analyses: AnalysesToken },
  example: { service: 'checkout-api', words: 'High error rate on checkout-api', error_lines: [] },
  async ask(input, { account, signal }, { analyses }) {
    const { analysis_id: analysis, service, words, error_lines: lines } = input
    if (analysis === undefined && words === '' && lines.length === 0)
      throw invalid('/words', 'or error_lines or analysis_id must say what to compare')
    const found = await analyses.similar(
      analysis === undefined ? { account: account.name, service, words, lines } : { analysis },
      signal
    )
    return {
      rows: found.map(({ reasons, ...one }) => ({
        ...one,
        reasons: reasons.join('; ').slice(0, 1_000),
        resource: `rayne://analysis/${one.analysis_id}`
      })),
      truncated: false,
      warnings: [],
      asked: {
        query:
          analysis === undefined ? `${words} ${lines.join(' ')}`.trim() : `analysis ${analysis}`
      },
      whenEmpty: 'no finished analysis of this account is near enough'
    }
  }
})
