/** What was unusual during an incident, as far as the evidence says it; every part may be empty. */
export interface IncidentSigns {
  /** Where and which shape of log line: a service or instance, and the template. */
  readonly logs?: readonly { readonly source: string; readonly template: string }[]
  readonly metrics?: readonly {
    readonly source: string
    readonly metric: string
    readonly direction: 'up' | 'down'
  }[]
  /** A call that failed or slowed down. */
  readonly calls?: readonly {
    readonly caller: string
    readonly callee: string
    readonly operation: string
    readonly trouble: string
  }[]
  /** The alert's own words. */
  readonly text?: string
}

// Cores, disks and shards have numbers that say nothing about the kind of trouble.
const withoutNumbers = (name: string): string => name.replace(/\d+/g, '#')
/** The last part of a path or address: the same operation is served under many addresses. */
const operationOf = (operation: string): string =>
  withoutNumbers(operation.replace(/\?.*/, '').split('/').findLast(Boolean) ?? '')

/**
 * The signs of an incident as tokens to compare it by: who and what together, so that the same trouble elsewhere is
 * something else. Each token once: how often a sign was seen depends on how long one looked.
 */
export function incidentTokens({ logs, metrics, calls, text }: IncidentSigns): string[] {
  return [
    ...new Set([
      ...(logs ?? []).map(({ source, template }) => `log ${source} ${template}`),
      ...(metrics ?? []).map(
        ({ source, metric, direction }) => `metric ${source} ${withoutNumbers(metric)} ${direction}`
      ),
      ...(calls ?? []).map(
        ({ caller, callee, operation, trouble }) =>
          `call ${caller} to ${callee} ${operationOf(operation)} ${trouble}`
      ),
      ...wordsOf(text ?? '').map(word => `word ${word}`)
    ])
  ]
}

/** Words of at least three letters in lower case, names split at their seams too: `checkoutService` is both words. */
const wordsOf = (text: string): string[] =>
  text
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .match(/[a-z]{3,}/g) ?? []
