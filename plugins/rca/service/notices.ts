import type { EvidenceRow } from '../contract.ts'
import { textFact } from './read-rows.ts'

/** An event that somebody outside announces a trouble with: it changes nothing. */
export const isNotice = (row: EvidenceRow): boolean =>
  /status_?page/i.test(textFact(row, 'source') ?? '')
