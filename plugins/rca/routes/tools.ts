import { RayneError, Type, type PluginApp } from '../../../core/index.ts'
import { readOldParams } from '../service/old-tool-params.ts'
import type { Rca } from './rca.ts'

/** The tools that only read, by the first version's paths. */
export function toolRoutes(app: PluginApp<unknown>, { toolbox, lifecycle }: Rca): void {
  const readers = async () => (await toolbox.list()).filter(tool => tool.effect === 'read')
  app.route({
    method: 'GET',
    path: '/tools',
    auth: 'user',
    summary: 'Tools that read Datadog',
    response: Type.Object({
      tools: Type.Array(
        Type.Object({
          name: Type.String(),
          description: Type.String(),
          params: Type.Array(Type.String())
        })
      ),
      writable: Type.Boolean()
    }),
    async handle() {
      const tools = (await readers()).map(({ name, description, input }) => ({
        name,
        description,
        params: Object.keys(input.properties)
      }))
      return { tools, writable: await lifecycle.writable() }
    }
  })
  app.route({
    method: 'POST',
    path: '/tools/execute',
    auth: 'scope:tools',
    summary: 'Run one tool that reads Datadog',
    body: Type.Object(
      {
        tool: Type.String({ minLength: 1, maxLength: 64 }),
        params: Type.Optional(Type.Object({}, { additionalProperties: true })),
        account: Type.Optional(Type.String({ minLength: 1, maxLength: 255 }))
      },
      { additionalProperties: false }
    ),
    response: Type.Object({
      success: Type.Boolean(),
      tool: Type.String(),
      result: Type.Unknown(),
      timestamp: Type.String()
    }),
    also: { 404: 'there is no such tool that reads' },
    async handle({ body: { tool, params = {}, account }, log, signal }) {
      if (!(await readers()).some(({ name }) => name === tool))
        throw new RayneError({
          code: 'tool-not-found',
          message: `there is no tool '${tool}' that reads; GET /v1/rca/tools lists them`
        })
      const read = readOldParams(tool, { ...params })
      const result = await toolbox.execute(tool, read, { account, log, signal })
      return { success: true, tool, result, timestamp: new Date().toISOString() }
    }
  })
}
