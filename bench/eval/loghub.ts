import { readdirSync } from 'node:fs'
import path from 'node:path'
import type { Command } from 'commander'
import { maskLine } from '../../plugins/rca/service/engine/mask-line.ts'
import { mineLogs } from '../../plugins/rca/service/engine/mine-logs.ts'
import { print, table, writeJson } from '../figures.ts'
import { readRecords } from './read-csv.ts'
import { configurationHash, mean } from './score.ts'

interface System {
  readonly name: string
  readonly lines: readonly string[]
  /** For scoring only. */
  readonly truth: readonly string[]
}

/** A grouping says for each line which group it is in. */
type Grouper = (lines: readonly string[]) => {
  groups: (string | number)[]
  text(line: number): string
}

const ours: Grouper = lines => {
  const { templates, templateOf } = mineLogs(lines)
  return { groups: [...templateOf], text: line => templates[templateOf[line] ?? 0]?.text ?? '' }
}
const exactAfterMasking: Grouper = lines => {
  const groups = lines.map(line => maskLine(line).join(' '))
  return { groups, text: line => groups[line] ?? '' }
}
const contestants: Readonly<Record<string, Grouper>> = {
  Rayne: ours,
  'exact match after masking': exactAfterMasking
}

/** Systems below a folder: `<system>/<system>_2k.log_structured.csv` with the columns Content and EventId. */
const readSystems = (folder: string): System[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.log_structured.csv'))
    .toSorted()
    .map(file => {
      const rows = readRecords(path.join(folder, file))
      return {
        name: path.basename(file).replace(/(?:_2k)?\.log_structured\.csv$/, ''),
        lines: rows.map(row => row['Content'] ?? ''),
        truth: rows.map(row => row['EventId'] ?? '')
      }
    })

const linesOf = (groups: readonly (string | number)[]): Map<string | number, number[]> => {
  const found = new Map<string | number, number[]>()
  groups.forEach((group, line) => {
    const lines = found.get(group)
    if (lines) lines.push(line)
    else found.set(group, [line])
  })
  return found
}

interface Graded {
  /** Share of lines whose group equals the true one as a set. */
  readonly ga: number
  /** F1 over groups. */
  readonly fga: number
  readonly groups: number
  readonly trueGroups: number
}

function gradeGroups(groups: readonly (string | number)[], truth: readonly string[]): Graded {
  const found = linesOf(groups)
  const wanted = linesOf(truth)
  const right = [...found.values()].filter(lines => {
    const event = truth[lines[0] ?? 0] ?? ''
    return wanted.get(event)?.length === lines.length && lines.every(line => truth[line] === event)
  })
  const precision = right.length / found.size
  const recall = right.length / wanted.size
  return {
    ga: right.reduce((total, lines) => total + lines.length, 0) / groups.length,
    fga: right.length === 0 ? 0 : (2 * precision * recall) / (precision + recall),
    groups: found.size,
    trueGroups: wanted.size
  }
}

/** Means over the systems of the benchmark's paper and of others with one configuration. */
const published =
  'best published mean GA: tuned per system 0.983 (Brain), one configuration 0.864 (Brain), 0.70 (Drain)'

/** `npm run eval -- loghub`: log lines grouped by shape, on the loghub samples. */
export function loghubCommand(program: Command): void {
  program
    .command('loghub')
    .description('group log lines by shape')
    .requiredOption('--data <dir>', 'folder with one folder a system')
    .option('--json <file>', 'write the group of every line here')
    .action(({ data, json }: { data: string; json?: string }) => {
      const systems = readSystems(data)
      if (systems.length === 0) throw new Error(`no *.log_structured.csv was found below ${data}`)
      const results = Object.entries(contestants).flatMap(([contestant, group]) =>
        systems.map(system => {
          const { groups, text } = group(system.lines)
          return { contestant, system, groups, text, grade: gradeGroups(groups, system.truth) }
        })
      )
      print(`loghub: ${systems.length} systems, configuration ${configurationHash()}`)
      const rows = results.map(({ contestant, system, grade }) => [
        `${contestant}: ${system.name}`,
        system.lines.length,
        grade.ga.toFixed(3),
        grade.fga.toFixed(3),
        grade.groups,
        grade.trueGroups
      ])
      const means = Object.keys(contestants).map(name => {
        const mine = results
          .filter(({ contestant }) => contestant === name)
          .map(({ grade }) => grade)
        const lowest = Math.min(...mine.map(({ ga }) => ga))
        return [
          `${name}: mean (lowest ${lowest.toFixed(3)})`,
          mine.length,
          mean(mine.map(({ ga }) => ga)).toFixed(3),
          mean(mine.map(({ fga }) => fga)).toFixed(3),
          '',
          ''
        ]
      })
      print(table(['contestant: system', 'n', 'GA', 'FGA', 'groups', 'true'], [...rows, ...means]))
      print(published)
      writeJson(json, {
        track: 'loghub',
        configuration: configurationHash(),
        cases: results.map(({ contestant, system, groups, text, grade }) => ({
          contestant,
          system: system.name,
          ...grade,
          lines: groups.map((group, line) => ({ group, template: text(line) }))
        }))
      })
    })
}
