import { defineTool, Type } from '../core/index.ts'
import { AnalysesToken, type AnalysisInShort, type Report } from '../plugins/rca/contract.ts'
import { rowsAnswer, saidOf } from './kit/answer.ts'

const textOrNull = Type.Union([Type.String(), Type.Null()])
const Row = Type.Object({
  id: Type.String(),
  status: Type.String({ description: 'pending, running, done, failed, cancelled or skipped' }),
  error: textOrNull,
  account: textOrNull,
  monitor: Type.String(),
  created_at: Type.String(),
  verdict: textOrNull,
  summary: textOrNull,
  component: textOrNull,
  cause_class: textOrNull,
  onset: textOrNull,
  affected: Type.String(),
  remediation: textOrNull,
  suspects: Type.Array(Type.String(), { description: 'likeliest first, at most 5' }),
  findings: Type.Array(Type.String(), { description: 'at most 15, with the rows they stand on' }),
  resource: Type.String({ description: 'the whole report; its evidence is named there' })
})

export default defineTool({
  name: 'get_analysis',
  title: 'One analysis',
  effect: 'read',
  description: [
    'An analysis by id: status, verdict, cause, onset, suspects and findings. Use it after start_analysis until its',
    'status is done, and for an earlier one. It cannot find analyses: find_similar_incidents does.'
  ].join(' '),
  input: Type.Object(
    { analysis_id: Type.String({ format: 'uuid' }) },
    { additionalProperties: false }
  ),
  output: rowsAnswer(Row),
  needs: { analyses: AnalysesToken },
  timeoutMs: 10_000,
  examples: [{ input: { analysis_id: '0190f2f5-6d3c-7c52-9d2b-6a2b0e0d4c11' } }],
  async run({ analysis_id: id }, _context, { analyses }) {
    const found = await analyses.find(id)
    return saidOf({
      rows: [rowOf(found)],
      truncated: false,
      warnings:
        found.report === null && found.error === null
          ? [`it is ${found.status}, so there is no report yet: ask again in 10 s`]
          : [],
      asked: { query: `analysis ${id}` },
      ...(found.notebookUrl === null ? {} : { link: found.notebookUrl })
    })
  }
})

function rowOf({ report, createdAt, notebookUrl: _, ...about }: AnalysisInShort) {
  return {
    ...about,
    created_at: createdAt.toISOString(),
    ...(report === null ? nothing : reported(report)),
    resource: `rayne://analysis/${about.id}`
  }
}

const nothing = {
  verdict: null,
  summary: null,
  component: null,
  cause_class: null,
  onset: null,
  affected: '',
  remediation: null,
  suspects: [],
  findings: []
}

const reported = (report: Report) => ({
  verdict: report.verdict,
  summary: report.summary,
  component: report.component ?? null,
  cause_class: report.class ?? null,
  onset: report.onset?.at ?? null,
  affected: (report.affected ?? []).join(','),
  remediation: report.remediation?.class ?? null,
  suspects: report.suspects
    .slice(0, 5)
    .map(({ title, at, score }) => `${title} at ${at} (score ${score})`),
  findings: report.findings
    .slice(0, 15)
    .map(({ text, evidence }) => `${text} [${evidence.slice(0, 5).join(', ')}]`)
})
