import { createHash } from 'node:crypto'
import { errorText, isoTime, epochMs } from '../../../../core/index.ts'
import type { EvidenceRow, EvidenceSlot } from '../../contract.ts'

/** What a reading tool answered, as `tools/kit/reader.ts` words it. */
export interface ToolAnswer {
  readonly asked: string
  readonly window: { readonly from: string; readonly to: string } | null
  readonly rows: readonly Readonly<Record<string, unknown>>[]
  readonly truncated: boolean
  readonly note: string | null
}

/** Every answer the report may rest on, under an id of its own; rows are cited as `<slot>#<number>`. */
export interface Ledger {
  slots(): readonly EvidenceSlot[]
  row(id: string): { readonly row: EvidenceRow; readonly slot: EvidenceSlot } | undefined
  record(call: ToolCall, answer: ToolAnswer | Error, tookMs: number): EvidenceSlot
  /** The slot that answered this very question before. */
  answered(call: ToolCall): EvidenceSlot | undefined
}
export interface ToolCall {
  readonly tool: string
  readonly title: string
  readonly input: Readonly<Record<string, unknown>>
}

const maxTextLength = 600
const maxFactLength = 200

/** A ledger that begins with what was gathered before the investigation. */
export function createLedger(gathered: readonly EvidenceSlot[]): Ledger {
  const slots = [...gathered]
  const bySlot = new Map(gathered.map(slot => [slot.slot, slot]))
  const byQuestion = new Map<string, EvidenceSlot>()
  let calls = 0
  return {
    slots: () => slots,
    row(id) {
      const slot = bySlot.get(id.slice(0, id.lastIndexOf('#')))
      const row = slot?.rows.find(one => one.id === id)
      return slot && row && { row, slot }
    },
    record(call, answer, tookMs) {
      calls += 1
      const slot = slotOf(`t${calls}`, call, answer, tookMs)
      slots.push(slot)
      bySlot.set(slot.slot, slot)
      if (!(answer instanceof Error)) byQuestion.set(questionOf(call), slot)
      return slot
    },
    answered: call => byQuestion.get(questionOf(call))
  }
}

/** One text for one question, whatever the order of its fields. */
function questionOf({ tool, input }: ToolCall): string {
  const fields = Object.entries(input).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256')
    .update(JSON.stringify([tool, fields]))
    .digest('base64')
}

function slotOf(
  name: string,
  { tool, title, input }: ToolCall,
  answer: ToolAnswer | Error,
  tookMs: number
): EvidenceSlot {
  const base = { slot: name, title, took_ms: Math.round(tookMs), retryable: false }
  const unknownWindow = { from: '', to: '' }
  if (answer instanceof Error)
    return {
      ...base,
      asked: `${tool} ${JSON.stringify(input)}`.slice(0, maxTextLength),
      window: unknownWindow,
      outcome: 'error',
      rows: [],
      note: errorText(answer)
    }
  const { asked, window, rows, truncated, note } = answer
  return {
    ...base,
    asked,
    window: window ?? unknownWindow,
    outcome: rows.length === 0 ? 'empty' : truncated ? 'truncated' : 'rows',
    rows: rows.map((row, index) => ({ id: `${name}#${index + 1}`, ...rowOf(row) })),
    note
  }
}

function rowOf(row: Readonly<Record<string, unknown>>): Omit<EvidenceRow, 'id'> {
  const at = typeof row['at'] === 'string' ? Date.parse(row['at']) : Number.NaN
  const fields = Object.entries(row).filter(
    ([key, value]) => key !== 'at' && value !== null && value !== ''
  )
  const facts: EvidenceRow['facts'] = {}
  for (const [key, value] of fields)
    if (typeof value === 'string') facts[key] = value.slice(0, maxFactLength)
    else if (typeof value === 'number' || typeof value === 'boolean') facts[key] = value
  return {
    at: Number.isFinite(at) ? at : null,
    text: fields
      .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
      .join(' | ')
      .slice(0, maxTextLength),
    facts
  }
}

/** All words of a row that a claim may quote, its time included. */
export const wordsOf = (row: EvidenceRow): string =>
  [
    row.text,
    ...Object.values(row.facts).map(String),
    row.at === null ? '' : isoTime(epochMs(row.at))
  ].join(' ')
