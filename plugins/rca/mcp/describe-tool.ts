import type { Tool as WireTool } from '@modelcontextprotocol/server'
import type { Tool } from '../../../core/index.ts'
import { DatadogToken } from '../../datadog-proxy/contract.ts'

/** Optional on every tool that asks Datadog; it is taken off before the tool's own input is checked. */
const account = {
  type: 'string',
  maxLength: 255,
  description: 'name of a Datadog account, see list_accounts; the default one when left out'
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
      title,
      readOnlyHint: effect === 'read',
      destructiveHint: effect === 'destroy',
      idempotentHint: effect === 'read',
      openWorldHint: true
    }
  }
}

function inputSchemaOf(tool: Tool): WireTool['inputSchema'] {
  const schema = plain(tool.input)
  const properties = schema.properties as Record<string, object>
  return {
    ...schema,
    type: 'object',
    properties: asksDatadog(tool) ? { ...properties, account } : properties
  } as WireTool['inputSchema']
}

/** The schema as plain JSON, without what a schema library keeps beside it. */
const plain = (schema: object): Record<string, unknown> =>
  JSON.parse(JSON.stringify(schema)) as Record<string, unknown>
