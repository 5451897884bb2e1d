import { epochMs, isoTime } from '../../../core/index.ts'
import type {
  Claim,
  EvidenceRow,
  EvidenceSlot,
  Investigation,
  Report,
  SimilarIncident
} from '../contract.ts'
import { clock } from './clock.ts'
import { code, heading, joined, md, nothing, words, type Markdown } from './markdown.ts'

const maxFindings = 8
const maxSuspects = 5
const maxCited = 30

const cut = (text: string, length: number): string =>
  text.length > length ? `${text.slice(0, length - 1)}…` : text

/** What happened, on what that rests, and what else was looked at. */
export function analysisText(report: Report): Markdown {
  const [first, ...others] = report.suspects
  const isBlamed = report.verdict === 'suspected_change' || report.verdict === 'operational_cause'
  const blamed = isBlamed ? first : undefined
  const rest = (blamed ? others : report.suspects).slice(0, maxSuspects)
  return joined(
    [
      blamed ? joined([heading(2, 'Why'), list(blamed.reasons), remedy(report)], '\n\n') : nothing,
      rest.length > 0
        ? joined([heading(2, 'Changes that were weighed'), joined(rest.map(weighed), '\n')], '\n\n')
        : nothing,
      heading(2, 'What was found'),
      list(toldFindings(report)),
      report.investigation ? reasoning(report.investigation) : nothing
    ],
    '\n\n'
  )
}

const remedy = ({ remediation, component }: Report): Markdown =>
  remediation === undefined || remediation.class === 'none'
    ? nothing
    : md`**Do next:** ${remedies[remediation.class] ?? remediation.class} ${component ?? 'the cause'}.`

/** The classes of remedy as an order. */
const remedies: Readonly<Record<string, string>> = {
  rollback: 'roll back',
  flag_off: 'switch off the flag behind',
  revert_config: 'revert the configuration of',
  scale: 'scale',
  restart: 'restart',
  failover: 'fail over from',
  free_space: 'free space for',
  renew_certificate: 'renew the certificate of',
  rotate_credentials: 'rotate the credentials of',
  raise_limit: 'raise the limit of',
  shed_load: 'shed load from',
  skip_message: 'skip the message that stops',
  fix_dns: 'mend the name resolution of',
  drain_node: 'drain',
  fix_data: 'mend the data of',
  adjust_monitor: 'adjust the monitor of',
  contact_provider: 'call the provider of'
}

const weighed = ({ title, at, score, reasons }: Report['suspects'][number]): Markdown => {
  const last = reasons.at(-1)
  const why = last ? md`: ${last.text} ${cite(last.evidence)}` : nothing
  return md`- **${title}**, ${clock(at)}, score ${score} of 100${why}`
}

/** Findings that say more than a row or a reason that is shown anyway. */
function toldFindings({ findings, evidence, suspects }: Report): Claim[] {
  const shown = new Set([
    ...evidence.flatMap(slot => slot.rows.map(row => row.text)),
    ...(suspects[0]?.reasons.map(({ text }) => text) ?? [])
  ])
  const told = findings.filter(({ text }) => !shown.has(text))
  return (told.length > 0 ? told : findings).slice(0, maxFindings)
}

/** What the model made of it: only what code has found in the rows. */
function reasoning(found: Investigation): Markdown {
  const { outcome, hypotheses, ruled_out: ruledOut, next_steps: steps, dropped, note } = found
  const causes = hypotheses.map(({ cause, component, confidence, claims }) => {
    const percent = Math.round(confidence * 100)
    return joined([md`**${cause}** (${component}), confidence ${percent} %`, list(claims)], '\n')
  })
  const next = joined(
    steps.map(step => md`- ${step}`),
    '\n'
  )
  const lost = md`${dropped.length} statements were dropped: the evidence does not hold them.`
  return joined(
    [
      heading(2, `What the model makes of it: ${outcome.replace('_', ' ')}`),
      md`${note}`,
      ...causes,
      ruledOut.length > 0 ? joined([heading(3, 'Ruled out'), list(ruledOut)], '\n\n') : nothing,
      steps.length > 0 ? joined([heading(3, 'Next'), next], '\n\n') : nothing,
      dropped.length > 0 ? lost : nothing
    ],
    '\n\n'
  )
}

const list = (claims: readonly Claim[]): Markdown =>
  claims.length === 0
    ? words('Nothing more.')
    : joined(
        claims.map(claim => md`- ${cut(claim.text, 320)} ${cite(claim.evidence)}`),
        '\n'
      )

/** The rows that claims cite, and every question with how it ended. */
export function evidenceText(report: Report): Markdown {
  const order = [
    ...report.suspects
      .slice(0, 1)
      .flatMap(suspect => [
        ...suspect.reasons.flatMap(reason => reason.evidence),
        ...suspect.evidence
      ]),
    ...toldFindings(report).flatMap(claim => claim.evidence),
    ...(report.investigation?.hypotheses ?? []).flatMap(one =>
      one.claims.flatMap(claim => claim.evidence)
    )
  ]
  const rows = new Map(report.evidence.flatMap(slot => slot.rows.map(row => [row.id, row])))
  const cited = [...new Set(order)].flatMap(id => rows.get(id) ?? [])
  const all =
    cited.length > maxCited ? md`\n\n${cited.length - maxCited} more are in the analysis.` : nothing
  return joined(
    [
      heading(2, 'Evidence'),
      cited.length > 0
        ? md`${rowTable(cited.slice(0, maxCited), report.window.to)}${all}`
        : words('No row is cited.'),
      heading(3, 'What was asked'),
      md`From ${clock(report.window.from)} to ${clock(report.window.to)} unless said otherwise.`,
      md`| question | answer | asked |\n|---|---|---|\n${joined(report.evidence.map(asked), '\n')}`
    ],
    '\n\n'
  )
}

const isLog = (id: string): boolean => id.startsWith('logs')

/** What was found in log lines. */
export const logFindings = ({ findings }: Report): Markdown =>
  list(findings.filter(({ evidence }) => evidence.some(isLog)))

/** The log lines that findings cite. */
export function logRows(report: Report): Markdown {
  const cited = new Set(report.findings.flatMap(({ evidence }) => evidence.filter(isLog)))
  const rows = report.evidence.flatMap(slot => slot.rows.filter(({ id }) => cited.has(id)))
  return rows.length > 0 ? rowTable(rows.slice(0, maxCited), report.window.to) : words('None.')
}

/** Rows that say the same are one line. */
function rowTable(cited: readonly EvidenceRow[], day: string): Markdown {
  const same = new Map<string, EvidenceRow[]>()
  for (const row of cited) same.set(row.text, [...(same.get(row.text) ?? []), row])
  const lines = [...same.values()].map(rows => {
    const [{ at, text } = { at: null, text: '' }] = rows
    const time = at === null ? null : clock(isoTime(epochMs(at)), day)
    return md`| ${rows.map(({ id }) => id).join(', ')} | ${time} | ${cut(text, 240)} |`
  })
  return md`| row | time (UTC) | what |\n|---|---|---|\n${joined(lines, '\n')}`
}

function asked(slot: EvidenceSlot): Markdown {
  const { length } = slot.rows
  const count = length > 0 ? `${length} row${length === 1 ? '' : 's'}` : slot.outcome
  const isWhole = slot.outcome === 'rows' || slot.outcome === 'empty'
  const answer = [isWhole ? count : `${count} (${slot.outcome})`, slot.note].filter(Boolean)
  return md`| ${slot.title} | ${cut(answer.join(': '), 200)} | ${code(cut(slot.asked, 160), true)} |`
}

/** The queries behind the graphs, whole, to be pasted into Datadog. */
export const queriesText = (queries: readonly { title: string; query: string }[]): Markdown =>
  joined(
    queries.map(({ title, query }) => md`- ${title}: ${code(query)}`),
    '\n'
  )

const maxIds = 5
const cite = (ids: readonly string[]): Markdown => {
  const each = [...new Set(ids)]
  if (each.length === 0) return nothing
  const more = each.length > maxIds ? ` and ${each.length - maxIds} more` : ''
  return md`_(${each.slice(0, maxIds).join(', ')}${more === '' ? nothing : md` ${more}`})_`
}

/** Earlier incidents with like signs. */
export const similarText = (similar: readonly SimilarIncident[]): Markdown =>
  similar.length === 0
    ? nothing
    : joined(
        [
          heading(2, 'Similar incidents'),
          words('Something to test, and no evidence.'),
          joined(
            similar.map(
              ({ name, at, similarity, confirmed_cause: cause, reasons, analysis_id: id }) => {
                const known =
                  cause === null
                    ? words('cause not confirmed')
                    : md`confirmed cause: **${cut(cause, 300)}**`
                const percent = Math.round(similarity * 100)
                const why = cut(reasons.join('; '), 300)
                return md`- **${name}**, ${clock(at)}, ${percent} % alike, ${known} (analysis ${id}; shared: ${why})`
              }
            ),
            '\n'
          )
        ],
        '\n\n'
      )
