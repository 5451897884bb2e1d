/** What an analysis says, whoever made it: the same words for the product and for the baselines. */
export interface Verdict {
  readonly component: string | null
  readonly class: string | null
  /** Ids of the events it calls the trigger. */
  readonly triggers: readonly string[]
  readonly onset: string | null
  readonly cited: readonly CitedRow[]
  readonly affected: readonly string[] | null
  readonly remediation: string | null
}
/** One row of evidence a claim rests on; `id` is Datadog's, where the row has one. */
export interface CitedRow {
  readonly slot: string
  readonly text: string
  readonly id: string | null
  readonly facts: Readonly<Record<string, unknown>>
}

interface Claim {
  readonly evidence?: readonly string[]
}
interface Row {
  readonly id: string
  readonly text: string
  readonly facts: Readonly<Record<string, unknown>>
}
/** The parts of `GET /v1/rca/{id}`'s report that are read; what a report does not have yet may be absent. */
export interface GradedReport {
  readonly verdict: string
  readonly onset?: { readonly at: string } & Claim
  readonly suspects?: readonly ({
    readonly service: string | null
    readonly reasons?: readonly Claim[]
  } & Claim)[]
  readonly findings?: readonly Claim[]
  readonly evidence?: readonly { readonly slot: string; readonly rows: readonly Row[] }[]
  readonly component?: string
  readonly class?: string
  readonly affected?: readonly string[]
  readonly remediation?: { readonly class: string }
  readonly similar?: readonly {
    readonly analysis_id: string
    readonly confirmed_cause: string | null
  }[]
}

/** Reads a report: only a suspicion that it stands by is a verdict, but everything it cites counts. */
export function readReport(report: GradedReport): Verdict {
  const rows = new Map(
    (report.evidence ?? []).flatMap(slot =>
      slot.rows.map(row => [row.id, citedRow(slot.slot, row)] as const)
    )
  )
  const first = report.verdict === 'not_established' ? undefined : report.suspects?.[0]
  const claims: Claim[] = [
    ...(report.onset ? [report.onset] : []),
    ...(report.findings ?? []),
    ...(first ? [first, ...(first.reasons ?? [])] : [])
  ]
  const find = (ids: readonly string[] | undefined): CitedRow[] =>
    (ids ?? []).map(id => rows.get(id) ?? { slot: 'unknown', text: '', id, facts: {} })
  return {
    component: report.component ?? first?.service ?? null,
    class: report.class ?? null,
    onset: report.onset?.at ?? null,
    affected: report.affected ?? null,
    remediation: report.remediation?.class ?? null,
    triggers: find(first?.evidence).flatMap(row =>
      row.slot === 'changes' && row.id !== null ? [row.id] : []
    ),
    cited: [
      ...new Map(
        find(claims.flatMap(claim => claim.evidence ?? [])).map(row => [
          `${row.slot} ${row.id ?? ''} ${row.text}`,
          row
        ])
      ).values()
    ]
  }
}

function citedRow(slot: string, { text, facts }: Row): CitedRow {
  const id = facts['event_id'] ?? facts['log_id'] ?? facts['monitor_id']
  return {
    slot,
    text,
    facts,
    id: typeof id === 'string' || typeof id === 'number' ? String(id) : null
  }
}
