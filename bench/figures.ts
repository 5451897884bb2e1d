import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'

/** The value a share `q` (0 to 1) of the figures is at or below. */
export function quantile(figures: readonly number[], q: number): number {
  const sorted = [...figures].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN
}

export function median(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b)
  const middle = sorted.length / 2
  return sorted.length % 2 === 1
    ? (sorted[Math.floor(middle)] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2
}

export const whole = (figure: number): string =>
  Number.isFinite(figure) ? Math.round(figure).toLocaleString('en-US') : '-'
export const ratio = (figure: number): string => (Number.isFinite(figure) ? figure.toFixed(2) : '-')
export const megabytes = (bytes: number): string => `${Math.round(bytes / 1_048_576)} MB`

/** Rows under a heading; figures stand to the right, words to the left. */
export function table(
  heading: readonly string[],
  rows: readonly (readonly (string | number)[])[]
): string {
  const all = [heading, ...rows.map(row => row.map(String))]
  const widths = heading.map((_, column) => Math.max(...all.map(row => row[column]?.length ?? 0)))
  const isFigure = (cell: string): boolean => /^[-+]?[\d,.]+( ?\S{1,3})?$|^-$/.test(cell)
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        isFigure(cell) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0)
      )
      .join('  ')
      .trimEnd()
  return all.map(line).join('\n')
}

export const print = (text = ''): void => {
  process.stdout.write(`${text}\n`)
}

/** What the figures depend on besides the code. */
export const machine = (): string =>
  `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown CPU'}, Node ${process.versions.node}, ${process.platform}`

export function writeJson(file: string | undefined, result: unknown): void {
  if (file !== undefined) writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`)
}
