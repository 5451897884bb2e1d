import { readFileSync } from 'node:fs'
import { parse } from 'csv-parse/sync'

/** The rows of a CSV file, header included. */
export const readRows = (file: string): string[][] =>
  parse(readFileSync(file, 'utf8'), { relax_column_count: true, bom: true })

/** The rows of a CSV file by the names of its header. */
export const readRecords = (file: string): Record<string, string>[] =>
  parse(readFileSync(file, 'utf8'), { columns: true, relax_column_count: true, bom: true })
