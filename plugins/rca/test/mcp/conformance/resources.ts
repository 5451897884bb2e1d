import { fromJsonSchema, ResourceTemplate, type McpServer } from '@modelcontextprotocol/server'
import { image, png } from './content.ts'

/** Resources of both kinds and a template, and the subscription to one. */
export function resources(server: McpServer): void {
  server.registerResource(
    'static-text',
    'test://static-text',
    { description: 'A text', mimeType: 'text/plain' },
    uri => ({
      contents: [
        {
          uri: uri.href,
          mimeType: 'text/plain',
          text: 'This is the content of the static text resource.'
        }
      ]
    })
  )
  server.registerResource(
    'static-binary',
    'test://static-binary',
    { description: 'A picture', mimeType: 'image/png' },
    uri => ({ contents: [{ uri: uri.href, mimeType: 'image/png', blob: png }] })
  )
  server.registerResource(
    'watched-resource',
    'test://watched-resource',
    { description: 'One to subscribe to', mimeType: 'text/plain' },
    uri => ({ contents: [{ uri: uri.href, mimeType: 'text/plain', text: 'watched' }] })
  )
  server.registerResource(
    'template',
    new ResourceTemplate('test://template/{id}/data', { list: undefined }),
    { description: 'Data by id', mimeType: 'application/json' },
    (uri, { id }) => ({
      contents: [
        {
          uri: uri.href,
          mimeType: 'application/json',
          text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${String(id)}` })
        }
      ]
    })
  )
  server.server.registerCapabilities({ resources: { subscribe: true } })
  for (const method of ['resources/subscribe', 'resources/unsubscribe'] as const)
    server.server.setRequestHandler(method, () => ({}))
  server.server.setRequestHandler('completion/complete', ({ params: { argument } }) => {
    const values = ['paris', 'park', 'party'].filter(one => one.startsWith(argument.value))
    return { completion: { values, total: values.length, hasMore: false } }
  })
}

/** Prompts with and without arguments, a resource and a picture. */
export function prompts(server: McpServer): void {
  const say = (words: string) => ({
    role: 'user' as const,
    content: { type: 'text' as const, text: words }
  })
  const needs = (...names: readonly string[]) =>
    fromJsonSchema<Record<string, string>>({
      type: 'object',
      properties: Object.fromEntries(names.map(name => [name, { type: 'string' as const }])),
      required: [...names]
    })
  server.registerPrompt('test_simple_prompt', { description: 'Simple' }, () => ({
    messages: [say('This is a simple prompt for testing.')]
  }))
  server.registerPrompt(
    'test_prompt_with_arguments',
    { description: 'Two arguments', argsSchema: needs('arg1', 'arg2') },
    ({ arg1, arg2 }) => ({
      messages: [say(`Prompt with arguments: arg1='${arg1 ?? ''}', arg2='${arg2 ?? ''}'`)]
    })
  )
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'A resource', argsSchema: needs('resourceUri') },
    ({ resourceUri: uri = '' }) => ({
      messages: [
        {
          role: 'user' as const,
          content: {
            type: 'resource' as const,
            resource: {
              uri,
              mimeType: 'text/plain',
              text: 'Embedded resource content for testing.'
            }
          }
        },
        say('Please process the embedded resource above.')
      ]
    })
  )
  server.registerPrompt('test_prompt_with_image', { description: 'A picture' }, () => ({
    messages: [{ role: 'user' as const, content: image }, say('Please analyze the image above.')]
  }))
}
