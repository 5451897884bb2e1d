import type { Knex } from '../../../core/index.ts'
import type { EvidenceSlot } from '../contract.ts'
import { analysisStore, type Analysis } from '../store/analyses.ts'
import type { KeptAnswers } from './kept-answers.ts'

const uuid = '[\\da-f]{8}(?:-[\\da-f]{4}){3}-[\\da-f]{12}'
const analysisUri = new RegExp(`^rayne://analysis/(${uuid})$`, 'i')
const evidenceUri = new RegExp(`^rayne://evidence/(${uuid})/([\\w.#%-]{1,80})$`, 'i')
const resultUri = new RegExp(`^rayne://result/(${uuid})/(\\d{1,6})$`, 'i')
const mimeType = 'application/json'

/** The kinds of resources, as URI templates. */
export const resourceTemplates = [
  {
    uriTemplate: 'rayne://analysis/{id}',
    name: 'analysis',
    title: 'An analysis',
    description: 'The report of one root cause analysis; its evidence is named by slot.',
    mimeType
  },
  {
    uriTemplate: 'rayne://evidence/{id}/{slot}',
    name: 'evidence',
    title: 'Evidence of an analysis',
    description: 'One question of an analysis to Datadog, with every row of the answer.',
    mimeType
  },
  {
    uriTemplate: 'rayne://result/{id}/{page}',
    name: 'result',
    title: 'The rest of a tool answer',
    description: 'Rows of an answer that was too large, a page at a time, for 15 minutes.',
    mimeType
  }
]

/** The newest analyses as resources. */
export async function listResources(db: Knex) {
  const { analyses } = await analysisStore.list(db, {}, { limit: 50, offset: 0 })
  return analyses.map(analysis => ({
    uri: `rayne://analysis/${analysis.id}`,
    name: analysis.id,
    title: titleOf(analysis),
    mimeType
  }))
}

const titleOf = ({ alert, status, report }: Analysis): string => {
  const name = alert.monitor_name ?? alert.title ?? 'an alert'
  return `${name}: ${report?.summary ?? status}`.slice(0, 300)
}

/** The JSON text of a resource; undefined when there is none at this address. */
export async function readResource(
  uri: string,
  { db, kept, owner }: { readonly db: Knex; readonly kept: KeptAnswers; readonly owner: string }
): Promise<string | undefined> {
  const [, resultId, page] = resultUri.exec(uri) ?? []
  if (resultId !== undefined) return kept.page(resultId, owner, Number(page))
  const [, analysisId] = analysisUri.exec(uri) ?? []
  if (analysisId !== undefined) {
    const analysis = await analysisStore.find(db, analysisId)
    return analysis && JSON.stringify(withoutRows(analysis))
  }
  const [, id, slot = ''] = evidenceUri.exec(uri) ?? []
  if (id === undefined) return undefined
  const analysis = await analysisStore.find(db, id)
  const found = analysis?.report?.evidence.find(each => each.slot === decodeURIComponent(slot))
  return found && JSON.stringify(found)
}

/** An analysis with the addresses of its evidence in place of the rows. */
function withoutRows(analysis: Analysis) {
  const { id, status, error, account, alert, report, notebook, createdAt, finishedAt } = analysis
  const linked = (slot: EvidenceSlot) => ({
    ...slot,
    rows: slot.rows.length,
    uri: `rayne://evidence/${id}/${encodeURIComponent(slot.slot)}`
  })
  return {
    id,
    status,
    error,
    account,
    created_at: createdAt.toISOString(),
    finished_at: finishedAt?.toISOString() ?? null,
    notebook,
    alert,
    report: report && { ...report, evidence: report.evidence.map(linked) }
  }
}

/** Ids of analyses that begin with a text, newest first, for completion. */
export async function completeAnalysis(db: Knex, begin: string): Promise<string[]> {
  const { analyses } = await analysisStore.list(db, {}, { limit: 100, offset: 0 })
  return analyses.map(({ id }) => id).filter(id => id.startsWith(begin.toLowerCase()))
}
