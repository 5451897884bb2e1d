import type { Tool as WireTool } from '@modelcontextprotocol/server'
import { Type, type Tool } from '../../../core/index.ts'
import { describeBriefly, describeTool } from './describe-tool.ts'

/** Characters of JSON that make one token of a model, about. */
const charsOfToken = 4
/** What the default list may weigh. */
const maxListTokens = 3_900

/** About how many tokens a list of tools costs a model. */
const tokensOf = (tools: readonly unknown[]): number =>
  Math.ceil(JSON.stringify(tools).length / charsOfToken)

/** The two tools that reach all others: for what the default list leaves out, and for clients that keep old lists. */
export const findingTools = {
  search: {
    name: 'search_tools',
    title: 'Find a tool',
    description: [
      'Tools whose name or description has the words, with their schemas. Use it when no listed tool',
      'fits; call what it finds with call_tool.'
    ].join(' '),
    inputSchema: {
      type: 'object',
      properties: {
        words: {
          type: 'string',
          maxLength: 200,
          description: 'e.g. trace; all tools when left out'
        }
      },
      additionalProperties: false
    },
    annotations: { title: 'Find a tool', readOnlyHint: true, openWorldHint: false }
  },
  call: {
    name: 'call_tool',
    title: 'Call a tool by name',
    description:
      'Calls any tool that search_tools names, as if it were listed. Its answer is that of the tool.',
    inputSchema: {
      type: 'object',
      properties: {
        name: { type: 'string', maxLength: 64 },
        arguments: { type: 'object', description: 'what the input schema of the tool asks for' }
      },
      required: ['name', 'arguments'],
      additionalProperties: false
    },
    annotations: { title: 'Call a tool by name', readOnlyHint: false, openWorldHint: true }
  }
} satisfies Record<string, WireTool>

export const SearchInput = Type.Object(
  { words: Type.String({ maxLength: 200, default: '' }) },
  { additionalProperties: false }
)
export const CallInput = Type.Object(
  { name: Type.String({ maxLength: 64 }), arguments: Type.Record(Type.String(), Type.Unknown()) },
  { additionalProperties: false }
)

/** What an investigation needs from its first minute; the list holds these before any other. */
const firstTools = [
  'get_triggered_monitors',
  'query_metrics',
  'list_changes',
  'search_logs',
  'log_patterns',
  'search_spans',
  'get_trace',
  'get_monitor_details',
  'service_dependencies',
  'get_events',
  'list_accounts'
]
const rankOf = ({ name }: WireTool): number =>
  firstTools.includes(name) ? firstTools.indexOf(name) : firstTools.length

/** Listed by default: as many tools as `maxListTokens` hold, those first that an investigation begins with. */
export function listedTools(tools: readonly Tool[]): WireTool[] {
  const described = tools.map(describeBriefly)
  const weighed = described.map(tool => ({ tool, tokens: tokensOf([tool]) }))
  let left = maxListTokens - tokensOf(Object.values(findingTools))
  const kept = new Set<WireTool>()
  for (const { tool, tokens } of weighed.toSorted(
    (a, b) => rankOf(a.tool) - rankOf(b.tool) || a.tokens - b.tokens
  )) {
    if (tokens > left) continue
    left -= tokens
    kept.add(tool)
  }
  return described.filter(tool => kept.has(tool))
}

/** Tools that have every word in their name or description, at most 10, with the names of the others. */
export function searchTools(tools: readonly Tool[], words: string) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean)
  const found = tools.filter(({ name, title, description }) => {
    const text = `${name} ${title} ${description}`.toLowerCase()
    return wanted.every(word => text.includes(word))
  })
  return {
    tools: found.slice(0, 10).map(describeTool),
    more: found.slice(10).map(({ name }) => name),
    note:
      found.length === 0
        ? `no tool has these words; there are ${tools.map(({ name }) => name).join(', ')}`
        : null
  }
}
