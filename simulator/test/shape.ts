/** Key path → JSON types, arrays by the union of their items. */
function shape(
  value: unknown,
  path = '$',
  found = new Map<string, Set<string>>()
): Map<string, Set<string>> {
  const type = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
  found.set(path, (found.get(path) ?? new Set<string>()).add(type))
  if (Array.isArray(value)) for (const item of value) shape(item, `${path}[]`, found)
  else if (typeof value === 'object' && value !== null)
    for (const [key, item] of Object.entries(value)) shape(item, `${path}.${key}`, found)
  return found
}

/** What a recording shows and an answer does not; null stands for "may be absent". */
export function missingShapes(recording: unknown, simulated: unknown): string[] {
  const have = shape(simulated)
  return [...shape(recording)].flatMap(([path, types]) => {
    const wanted = [...types].filter(type => type !== 'null')
    if (wanted.length === 0 || allowed.some(([pattern]) => pattern.test(path))) return []
    const got = have.get(path)
    return got === undefined
      ? [`${path} (${wanted.join('|')}) is missing`]
      : wanted.some(type => got.has(type))
        ? []
        : [`${path} is ${[...got].join('|')}, recorded ${wanted.join('|')}`]
  })
}

/** Key paths below which a recording shows what belongs to its organisation and not to the API. */
const allowed: readonly (readonly [RegExp, string])[] = [
  [/^\$\.tags\.[^.[]/, 'tags/hosts: the keys are the tags themselves'],
  [
    /\.schema\.(dd-team|repos|docs)\b/,
    'service definitions: fields of schema v2, the simulator has v2.1'
  ],
  [/\.schema\.(integrations|extensions)\./, 'service definitions: free content'],
  [/\.meta\.warnings\[\]/, 'service definitions: warnings of one broken definition'],
  [
    /^\$(\[\])?\.options\.(?!(thresholds|silenced|notify_audit|include_tags|locked|new_host_delay)$)(?!(notify_no_data|require_full_window)$)/,
    'monitors: options that the creator of a monitor chose'
  ],
  [/matching_downtimes\[\]/, 'monitors: the recorded monitor was muted; downtimes come later'],
  [/\.(creator|author)\.(name|title)$/, 'people: optional, null here'],
  [/\.definition\./, 'notebooks: widgets of recorded notebooks'],
  [/\.(template_variables\[\]|template_variables)/, 'notebooks: variables of recorded notebooks'],
  [/\.agent_checks\[\]\[\]\[\]$/, "hosts: rows of the agent's own, some with a list inside"],
  [
    /^\$\.monitors\[\]\.creator\.id\./,
    'monitor search: a few recorded creators have an object where all others have a number'
  ],
  [/^\$\.event\.(handle|host)$/, 'events: of the person and the host that the recorded event had'],
  [/^\$\.errors\.\d+/, 'can_delete: the keys are ids'],
  [
    /^\$\[\]\.(parent_id|child_id|updater_id|recurrence\..+)$/,
    'old downtimes: recurring ones and their children'
  ],
  [/^\$(\[\])?\.overall_state_modified$/, 'monitors: null until the first change'],
  [
    /\.(overall_status\[\]\.error|status\.calculation_error)$/,
    'objectives: the recorded ones had no data'
  ],
  [
    /\.(field_analytics(\..*)?|customer_impact_scope)$/,
    'incidents: how long each state lasted, and texts that are empty here'
  ],
  [/\.assets\[\]\.options\./, 'monitor assets: free content'],
  [
    /\.(product_analytics|rum)_(dis|en)abled(_at)?$/,
    'RUM: fields that newer recordings no longer have'
  ],
  [
    /\.attributes\.custom\.(?!duration$|env$|version$|span\b|http\.status_code$|http\.method$)/,
    'spans: what the recorded libraries added'
  ],
  [/\.muted_until_ts$/, 'monitor search: set on muted monitors only']
]
