import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { epochMs, invalid } from '../../../core/index.ts'
import type { Report } from '../contract.ts'
import type { Analysis } from '../store/analyses.ts'
import { alertName } from './report.ts'
import { reportParts, type Afterwards } from './report-parts.ts'

/** The templates of `assets/`, by the names of the first version. */
export const templateFiles = [
  'incident_report.json',
  'incident-report-cloned.md',
  'logs-analysis.md',
  'prompt.md'
] as const
type TemplateFile = (typeof templateFiles)[number]

const folder = fileURLToPath(new URL('../../../assets/', import.meta.url))
const placeholder = /\{\{([a-z_]+)\}\}/g

/** The text of a template; what an operator changed in the file counts at once. */
export const readTemplate = (file: TemplateFile): Promise<string> =>
  readFile(`${folder}${file}`, 'utf8')

/** The file of a `template_id`, with or without its ending; throws `invalid-input` with the choices. */
export function templateOf(id: string, pointer: string): TemplateFile {
  const found = templateFiles.find(file => file === id || file.replace(/\.[a-z]+$/, '') === id)
  // It is words for the model, and no report.
  if (found === undefined || found === 'prompt.md') {
    const choices = templateFiles.filter(file => file !== 'prompt.md').join(', ')
    throw invalid(pointer, `takes one of ${choices}`)
  }
  return found
}

/** A report in the words of a template; what a value holds is never read as a placeholder. */
export async function renderTemplate(
  file: TemplateFile,
  analysis: Pick<Analysis, 'id' | 'alert'>,
  report: Report,
  appUrl: string,
  afterwards: Afterwards = {}
): Promise<string> {
  const template = await readTemplate(file)
  if (file.endsWith('.json'))
    return `${JSON.stringify(filled(JSON.parse(template), valuesOf(analysis, report, afterwards)), null, 2)}\n`
  const window = {
    from: epochMs(Date.parse(report.window.from)),
    to: epochMs(Date.parse(report.window.to))
  }
  const { id, alert } = analysis
  const { parts } = reportParts(id, alert, report, window, { appUrl }, afterwards)
  const text = template.replace(placeholder, (_, name: string) => {
    if (!Object.hasOwn(parts, name)) throw unknownName(file, name, Object.keys(parts))
    return parts[name as keyof typeof parts].markdown
  })
  return text.replace(/\n{3,}/g, '\n\n')
}

/** What a template of JSON may name; a text that is one placeholder becomes the value itself. */
function valuesOf(
  { id, alert }: Pick<Analysis, 'id' | 'alert'>,
  report: Report,
  { resolvedAt }: Afterwards
): Readonly<Record<string, unknown>> {
  const { component, class: kind, affected, remediation, ...rest } = report
  return {
    similar: [],
    ...rest,
    id,
    title: alertName(alert, report.evidence),
    component: component ?? null,
    class: kind ?? null,
    affected: affected ?? [],
    remediation: remediation?.class ?? null,
    monitor: alert.monitor_id,
    service: alert.service,
    host: alert.host,
    onset: report.onset?.at ?? null,
    resolved: resolvedAt ?? null
  }
}

function filled(value: unknown, values: Readonly<Record<string, unknown>>): unknown {
  if (Array.isArray(value)) return value.map(each => filled(each, values))
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([key, each]) => [key, filled(each, values)])
    )
  if (typeof value !== 'string') return value
  const known = (name: string): unknown => {
    if (!Object.hasOwn(values, name))
      throw unknownName('incident_report.json', name, Object.keys(values))
    return values[name]
  }
  const [whole, name] = /^\{\{([a-z_]+)\}\}$/.exec(value) ?? []
  if (whole !== undefined && name !== undefined) return known(name)
  return value.replace(placeholder, (_, each: string) => String(known(each)))
}

const unknownName = (file: string, name: string, known: readonly string[]): Error =>
  new Error(`assets/${file} names {{${name}}}; there are ${known.toSorted().join(', ')}`)
