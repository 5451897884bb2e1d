import {
  acceptedContent,
  CLIENT_CAPABILITIES_META_KEY,
  fromJsonSchema,
  inputRequired,
  type CallToolResult,
  type InputRequiredResult,
  type McpServer,
  type RequestStateCodec,
  type ServerContext
} from '@modelcontextprotocol/server'
import { form, text, type Fields } from './content.ts'

type Answer = CallToolResult | InputRequiredResult
type AddTool = (name: string, run: (context: ServerContext) => Answer | Promise<Answer>) => void

const words = { type: 'string' as const }
const elicit = (message: string, properties: Fields, required: string[]) =>
  inputRequired.elicit(form(message, properties, required))
const answers = (context: ServerContext): Readonly<Record<string, unknown>> =>
  context.mcpReq.inputResponses ?? {}
/** A field of a form that was accepted. */
function field(context: ServerContext, key: string, name: string): string | undefined {
  const found = acceptedContent(context.mcpReq.inputResponses, key)?.[name]
  return typeof found === 'string' || typeof found === 'boolean' ? String(found) : undefined
}
/** What the client of one request can do, which its envelope says. */
function capabilitiesOf({ mcpReq }: ServerContext): object {
  const found = Object.entries(mcpReq.envelope ?? {}).find(
    ([key]) => key === CLIENT_CAPABILITIES_META_KEY
  )?.[1]
  return typeof found === 'object' && found !== null ? found : {}
}
const sample = (prompt: string, maxTokens: number) =>
  inputRequired.createMessage({
    messages: [{ role: 'user', content: { type: 'text', text: prompt } }],
    maxTokens
  })

/** Tools that answer with what they need first, as the 2026-07-28 revision does. */
export function inputTools(server: McpServer, codec: RequestStateCodec<{ round: number }>): void {
  const tool: AddTool = (name, run) => {
    server.registerTool(name, { description: `Needs input first: ${name}.` }, run)
  }
  const askName = elicit('What is your name?', { name: words }, ['name'])
  tool('test_input_required_result_elicitation', context => {
    const name = field(context, 'user_name', 'name')
    return name === undefined
      ? inputRequired({ inputRequests: { user_name: askName } })
      : text(`Hello, ${name}!`)
  })
  tool('test_streaming_elicitation', context =>
    field(context, 'user_name', 'name') === undefined
      ? inputRequired({ inputRequests: { user_name: askName } })
      : text('done')
  )
  tool('test_input_required_result_sampling', context => {
    const found = answers(context)['capital_question']
    return found === undefined
      ? inputRequired({
          inputRequests: { capital_question: sample('What is the capital of France?', 100) }
        })
      : text(JSON.stringify(found))
  })
  tool('test_missing_capability', () =>
    inputRequired({ inputRequests: { asked: sample('Anything', 10) } })
  )
  tool('test_input_required_result_list_roots', context => {
    const found = answers(context)['client_roots']
    return found === undefined
      ? inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } })
      : text(JSON.stringify(found))
  })
  tool('test_input_required_result_capabilities', context => {
    const able = capabilitiesOf(context)
    const all = {
      ...('elicitation' in able ? { user_name: askName } : {}),
      ...('sampling' in able ? { greeting: sample('Generate a greeting', 50) } : {})
    }
    return Object.keys(all).length === 0 || Object.keys(answers(context)).length > 0
      ? text('done')
      : inputRequired({ inputRequests: all })
  })
  statefulTools(tool, codec, askName)
  server.registerPrompt(
    'test_input_required_result_prompt',
    { description: 'Needs a context first.' },
    context => {
      const given = field(context, 'user_context', 'context')
      return given === undefined
        ? inputRequired({
            inputRequests: {
              user_context: elicit('What context should the prompt use?', { context: words }, [
                'context'
              ])
            }
          })
        : { messages: [{ role: 'user', content: { type: 'text', text: `With ${given}` } }] }
    }
  )
}

function statefulTools(
  tool: AddTool,
  codec: RequestStateCodec<{ round: number }>,
  askName: ReturnType<typeof elicit>
): void {
  const confirm = elicit('Please confirm', { ok: { type: 'boolean' } }, ['ok'])
  for (const name of ['request_state', 'tampered_state'])
    tool(`test_input_required_result_${name}`, async context => {
      const state = context.mcpReq.requestState<{ round: number }>()
      return state === undefined || answers(context)['confirm'] === undefined
        ? inputRequired({
            inputRequests: { confirm },
            requestState: await codec.mint({ round: 1 }, context)
          })
        : text(`state-ok after round ${state.round}`)
    })
  tool('test_input_required_result_multiple_inputs', async context => {
    const given = answers(context)
    return ['user_name', 'greeting', 'client_roots'].every(key => given[key] !== undefined)
      ? text(JSON.stringify(given))
      : inputRequired({
          inputRequests: {
            user_name: askName,
            greeting: sample('Generate a greeting', 50),
            client_roots: inputRequired.listRoots()
          },
          requestState: await codec.mint({ round: 1 }, context)
        })
  })
  tool('test_input_required_result_multi_round', async context => {
    const round = context.mcpReq.requestState<{ round: number }>()?.round ?? 0
    if (round === 2 && field(context, 'step2', 'color') !== undefined) return text('All steps done')
    const next = round === 1 && field(context, 'step1', 'name') !== undefined ? 2 : 1
    const request =
      next === 1
        ? { step1: elicit('Step 1: What is your name?', { name: words }, ['name']) }
        : { step2: elicit('Step 2: What is your favorite color?', { color: words }, ['color']) }
    return inputRequired({
      inputRequests: request,
      requestState: await codec.mint({ round: next }, context)
    })
  })
}

/** A tool whose input has the keywords of JSON Schema 2020-12. */
export function schemaTool(server: McpServer): void {
  const address = {
    $anchor: 'addressDef',
    type: 'object',
    properties: { street: words, city: words }
  }
  const phone = { required: ['phone'] }
  const email = { required: ['email'] }
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    $defs: { address },
    properties: {
      name: words,
      address: { $ref: '#/$defs/address' },
      contactMethod: { ...words, enum: ['phone', 'email'] },
      phone: words,
      email: words
    },
    allOf: [{ anyOf: [phone, email] }],
    if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
    // A schema has this word; it is no promise.
    ['then']: phone,
    else: email,
    additionalProperties: false
  }
  server.registerTool(
    'json_schema_2020_12_tool',
    {
      description: 'Tool with JSON Schema 2020-12 features',
      inputSchema: fromJsonSchema(schema)
    },
    () => text('valid')
  )
}
