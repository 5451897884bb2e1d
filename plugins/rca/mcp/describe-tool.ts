import type { Tool as WireTool } from '@modelcontextprotocol/server'
import type { Tool } from '../../../core/index.ts'
import { DatadogToken } from '../../datadog-proxy/contract.ts'

/** Optional on every tool that asks Datadog; it is taken off before the tool's own input is checked. */
const account = {
  type: 'string',
  maxLength: 255,
  description: 'see list_accounts; the default one when left out'
}

/** Whether a tool reads one Datadog account, and so takes its name. */
export const asksDatadog = ({ needs = {} }: Tool): boolean =>
  Object.values(needs).includes(DatadogToken)

/** A tool as MCP lists it: both schemas, and hints that say whether it changes anything. */
export function describeTool(tool: Tool): WireTool {
  const { name, title, description, effect } = tool
  return {
    name,
    title,
    description,
    inputSchema: inputSchemaOf(tool),
    outputSchema: plain(tool.output) as WireTool['outputSchema'] & {},
    annotations: {
      readOnlyHint: effect === 'read',
      destructiveHint: effect === 'destroy',
      idempotentHint: effect === 'read',
      openWorldHint: true
    }
  }
}

function inputSchemaOf(tool: Tool): WireTool['inputSchema'] {
  const { required = [], ...schema } = plain(tool.input) as Nested
  const properties = schema.properties ?? {}
  // What has a default may be left out, which its type within the process does not say.
  const needed = required.filter(name => !('default' in (properties[name] ?? {})))
  return {
    ...schema,
    ...(needed.length === 0 ? {} : { required: needed }),
    type: 'object',
    properties: asksDatadog(tool) ? { ...properties, account } : properties
  } as WireTool['inputSchema']
}

/**
 * The same for a list that a model reads whole: without limits of length, and of the answer its rows alone. The answer
 * still fits, since such a schema allows more; `search_tools` shows all of it.
 */
export function describeBriefly(tool: Tool): WireTool {
  const described = describeTool(tool)
  const { properties = {} } = described.outputSchema ?? {}
  const { rows } = properties as { rows?: object }
  const { required, ...input } = described.inputSchema
  return {
    ...described,
    inputSchema: {
      ...brief(input),
      ...(required === undefined ? {} : { required })
    } as WireTool['inputSchema'],
    outputSchema: {
      type: 'object',
      properties: rows === undefined ? {} : { rows: brief(rows) },
      ...(rows === undefined ? {} : { required: ['rows'] })
    } as WireTool['outputSchema'] & {}
  }
}

/** A schema without `required` and lengths, and `null` as one of its types where it is one of two. */
function brief(schema: object): object {
  const { anyOf, items, properties, ...all } = schema as Nested
  const { required: _, pattern: __, maxLength: ___, minLength: ____, ...kept } = all
  const [first, second] = anyOf ?? []
  if (first?.type !== undefined && second?.type === 'null' && anyOf?.length === 2)
    return { ...brief(first), ...kept, type: [first.type, 'null'] }
  return {
    ...kept,
    ...(anyOf === undefined ? {} : { anyOf: anyOf.map(brief) }),
    ...(items === undefined ? {} : { items: brief(items) }),
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(properties).map(([name, each]) => [name, brief(each)])
          )
        })
  }
}
interface Nested {
  readonly type?: string
  readonly required?: readonly string[]
  readonly pattern?: string
  readonly maxLength?: number
  readonly minLength?: number
  readonly anyOf?: readonly Nested[]
  readonly items?: object
  readonly properties?: Readonly<Record<string, object>>
}

/** The schema as plain JSON, without what a schema library keeps beside it. */
const plain = (schema: object): Record<string, unknown> =>
  JSON.parse(JSON.stringify(schema)) as Record<string, unknown>
