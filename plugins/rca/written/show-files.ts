import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import path from 'node:path'
import type { WrittenRow } from '../store/written-tools.ts'

/**
 * The tools that are served, as files to read: `tools/auto/<name>.ts` in the home folder. What is run is the version
 * that was approved; a file that somebody changed is told of by its name.
 */
export function createToolFiles(folder: string) {
  const textOf = ({ name, version, hash, approved_by: by, proposal }: WrittenRow): string =>
    [
      `// ${name}, version ${version}, approved by ${JSON.stringify(by)}; sha256 ${hash}`,
      `// ${JSON.stringify(proposal.purpose)}`,
      `// reads ${proposal.capabilities.join(', ') || 'nothing of Datadog'}`,
      proposal.source.trimEnd(),
      ''
    ].join('\n')
  return {
    /** Writes what is served and takes away what is not; returns the names whose files somebody changed. */
    write(rows: readonly WrittenRow[]): string[] {
      if (rows.length === 0 && !existsSync(folder)) return []
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      const names = new Set(rows.map(row => `${row.name}.ts`))
      for (const file of readdirSync(folder))
        if (!names.has(file)) rmSync(path.join(folder, file), { force: true })
      return rows.flatMap(row => {
        const file = path.join(folder, `${row.name}.ts`)
        const text = textOf(row)
        const there = existsSync(file) ? readFileSync(file, 'utf8') : ''
        if (there === text) return []
        if (there.split('\n', 1)[0] === text.split('\n', 1)[0]) return [row.name]
        writeFileSync(`${file}.new`, text, { mode: 0o600 })
        renameSync(`${file}.new`, file)
        return []
      })
    }
  }
}
export type ToolFiles = ReturnType<typeof createToolFiles>
