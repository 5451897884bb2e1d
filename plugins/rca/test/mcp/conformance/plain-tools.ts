import { setTimeout as wait } from 'node:timers/promises'
import { fromJsonSchema, type CallToolResult, type McpServer } from '@modelcontextprotocol/server'
import { form, image, text, wav, type Fields } from './content.ts'

const stepMs = 50
const object = (properties: object, required: readonly string[] = []) =>
  fromJsonSchema<Record<string, string>>({
    type: 'object',
    properties: properties as Record<string, never>,
    required: [...required]
  })
const words = { type: 'string' as const }

/** Tools that answer content of every kind, and that tell of their progress. */
export function plainTools(server: McpServer): void {
  const describe = (name: string) => ({ description: `The conformance suite asks for ${name}.` })
  const simple: Readonly<Record<string, CallToolResult>> = {
    test_simple_text: text('This is a simple text response for testing.'),
    test_image_content: { content: [image] },
    test_audio_content: { content: [{ type: 'audio', data: wav, mimeType: 'audio/wav' }] },
    test_embedded_resource: {
      content: [
        {
          type: 'resource',
          resource: {
            uri: 'test://embedded-resource',
            mimeType: 'text/plain',
            text: 'This is an embedded resource content.'
          }
        }
      ]
    },
    test_multiple_content_types: {
      content: [
        { type: 'text', text: 'Multiple content types test:' },
        image,
        {
          type: 'resource',
          resource: {
            uri: 'test://mixed-content-resource',
            mimeType: 'application/json',
            text: '{"test":"data","value":123}'
          }
        }
      ]
    }
  }
  for (const [name, answer] of Object.entries(simple))
    server.registerTool(name, describe(name), () => answer)
  server.registerTool('test_error_handling', describe('an error'), () => {
    throw new Error('This tool intentionally returns an error for testing')
  })
  server.registerTool(
    'test_custom_headers',
    {
      ...describe('headers of arguments'),
      inputSchema: object({ region: { ...words, 'x-mcp-header': 'Region' } })
    },
    ({ region = '' }) => text(`region ${region}`)
  )
  tellingTools(server, describe)
}

function tellingTools(
  server: McpServer,
  describe: (name: string) => { description: string }
): void {
  server.registerTool('test_tool_with_logging', describe('log messages'), async context => {
    for (const message of ['started', 'processing data', 'completed']) {
      const begin = message === 'processing data' ? 'Tool' : 'Tool execution'
      await context.mcpReq.log('info', `${begin} ${message}`)
      await wait(stepMs)
    }
    return text('logged')
  })
  server.registerTool('test_logging_tool', describe('one log message'), async context => {
    await context.mcpReq.log('info', 'a message')
    return text('logged')
  })
  server.registerTool('test_tool_with_progress', describe('progress'), async context => {
    const { _meta: meta } = context.mcpReq
    const progressToken = meta?.progressToken
    for (const progress of [0, 50, 100]) {
      if (progressToken !== undefined)
        await context.mcpReq.notify({
          method: 'notifications/progress',
          params: { progressToken, progress, total: 100 }
        })
      await wait(stepMs)
    }
    return text('done')
  })
  server.registerTool('test_reconnection', describe('a stream that closes'), async context => {
    context.http?.closeSSE?.()
    await wait(2 * stepMs)
    return text('the stream was closed and this came after it')
  })
  for (const [name, change] of [
    ['test_trigger_tool_change', () => server.sendToolListChanged()],
    ['test_trigger_prompt_change', () => server.sendPromptListChanged()]
  ] as const)
    server.registerTool(name, describe('a change'), () => {
      change()
      return text('changed')
    })
}

/** Tools that ask the client in the midst of a call, as the 2025-11-25 revision does. */
export function askingTools(server: McpServer): void {
  server.registerTool(
    'test_sampling',
    {
      description: 'Asks the client for a completion.',
      inputSchema: object({ prompt: words }, ['prompt'])
    },
    async ({ prompt = '' }, context) => {
      const { content } = await context.mcpReq.requestSampling({
        messages: [{ role: 'user', content: { type: 'text', text: prompt } }],
        maxTokens: 100
      })
      return text(`LLM response: ${'text' in content ? content.text : ''}`)
    }
  )
  server.registerTool(
    'test_elicitation',
    {
      description: 'Asks the client for a form.',
      inputSchema: object({ message: words }, ['message'])
    },
    async ({ message = '' }, context) => {
      const asked = form(message, { username: words, email: words }, ['username', 'email'])
      const { action, content } = await context.mcpReq.elicitInput(asked)
      return text(`User response: action: ${action}, content: ${JSON.stringify(content)}`)
    }
  )
  const forms: Readonly<Record<string, Fields>> = {
    test_elicitation_sep1034_defaults: {
      name: { ...words, default: 'John Doe' },
      age: { type: 'integer', default: 30 },
      score: { type: 'number', default: 95.5 },
      status: { ...words, enum: ['active', 'inactive', 'pending'], default: 'active' },
      verified: { type: 'boolean', default: true }
    },
    test_elicitation_sep1330_enums: {
      untitledSingle: { ...words, enum: ['option1', 'option2', 'option3'] },
      titledSingle: { ...words, oneOf: titled('Option') },
      legacyEnum: {
        ...words,
        enum: ['opt1', 'opt2', 'opt3'],
        enumNames: ['Option One', 'Option Two', 'Option Three']
      },
      untitledMulti: {
        type: 'array',
        items: { ...words, enum: ['option1', 'option2', 'option3'] }
      },
      titledMulti: { type: 'array', items: { anyOf: titled('Choice') } }
    }
  }
  for (const [name, properties] of Object.entries(forms))
    server.registerTool(name, { description: 'Asks the client for a form.' }, async context => {
      const asked = form('Please fill this in', properties, [])
      const { action, content } = await context.mcpReq.elicitInput(asked)
      return text(`Elicitation completed: action=${action}, content=${JSON.stringify(content)}`)
    })
}

const titled = (noun: string) =>
  ['First', 'Second', 'Third'].map((rank, n) => ({
    const: `value${n + 1}`,
    title: `${rank} ${noun}`
  }))
