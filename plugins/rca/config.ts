import { Type } from '../../core/index.ts'

const modelSettings = {
  anthropic_api_key: Type.String({
    default: '',
    writeOnly: true,
    env: ['ANTHROPIC_API_KEY'],
    description:
      'Key of the Messages API; without one, and without an address, no model takes part.'
  }),
  anthropic_base_url: Type.String({
    default: '',
    pattern: '^$|^https?://',
    env: ['ANTHROPIC_BASE_URL'],
    description: 'Another address of the Messages API, such as a gateway.'
  }),
  model: Type.String({
    default: 'claude-sonnet-5-5',
    minLength: 1,
    description: 'Which model investigates'
  }),
  model_turns: Type.Integer({
    default: 12,
    minimum: 1,
    maximum: 100,
    description: 'The most turns of one investigation'
  }),
  model_tokens: Type.Integer({
    default: 400_000,
    minimum: 1_000,
    description: 'The most tokens of one investigation, read and written'
  }),
  model_answer_tokens: Type.Integer({
    default: 8_192,
    minimum: 256,
    maximum: 64_000,
    description: 'The most tokens of one answer'
  }),
  model_usd: Type.Number({
    default: 1,
    minimum: 0,
    description: 'The most US dollars of one investigation'
  }),
  model_daily_usd: Type.Number({
    default: 20,
    minimum: 0,
    description: 'The most US dollars a day (UTC) for one account'
  }),
  model_seconds: Type.Integer({
    default: 90,
    minimum: 5,
    maximum: 600,
    description: 'How long one investigation may take'
  }),
  model_input_usd: Type.Number({
    default: 3,
    minimum: 0,
    description: 'Price of a million tokens read, in US dollars'
  }),
  model_output_usd: Type.Number({
    default: 15,
    minimum: 0,
    description: 'Price of a million tokens written, in US dollars'
  })
}

const mcpSettings = {
  mcp_read_only: Type.Boolean({
    default: false,
    description: 'MCP clients get only tools that read'
  }),
  mcp_calls_per_minute: Type.Integer({
    default: 600,
    minimum: 1,
    maximum: 100_000,
    description: 'The most tool calls of one MCP caller a minute'
  })
}

const memorySettings = {
  ollama_url: Type.String({
    default: '',
    pattern: '^$|^https?://',
    env: ['OLLAMA_URL'],
    description:
      'Ollama, which makes vectors of incidents; without it they are found by their signs'
  }),
  ollama_model: Type.String({
    default: 'nomic-embed-text',
    minLength: 1,
    maxLength: 200,
    description: 'Which model of Ollama makes the vectors; another one makes them all anew'
  }),
  qdrant_url: Type.String({
    default: '',
    pattern: '^$|^https?://',
    env: ['QDRANT_URL'],
    description: 'Qdrant, which keeps the vectors; without it they are rows of the database'
  }),
  qdrant_api_key: Type.String({
    default: '',
    writeOnly: true,
    env: ['QDRANT_API_KEY'],
    description: 'Key of Qdrant, where it asks for one.'
  })
}

const writtenToolSettings = {
  sandbox: Type.Enum(['namespace', 'permission'], {
    default: 'namespace',
    description:
      'The least that must hold a tool written at run time: another user and no network, or ' +
      "Node's permission model alone; below it none is taken or run"
  }),
  auto_approve: Type.Boolean({
    default: false,
    description: 'Written tools are served without a person; only where NODE_ENV is development'
  }),
  node_env: Type.String({
    default: '',
    env: ['NODE_ENV'],
    description: 'What kind of machine this is'
  }),
  home: Type.String({
    default: '.rayne',
    minLength: 1,
    env: ['RAYNE_HOME'],
    description: 'Folder where tools/auto shows the written tools that are served'
  })
}

const list = (default_: string, pattern: string, description: string) =>
  Type.String({ default: default_, maxLength: 10_000, pattern, description })
const clock = '([01][0-9]|2[0-3]):[0-5][0-9]'
const day = '(mon|tue|wed|thu|fri|sat|sun|Mon|Tue|Wed|Thu|Fri|Sat|Sun)'
const policySettings = {
  analyse_statuses: list(
    'alert,warn',
    '^(alert|warn)(,(alert|warn))?$',
    'Which incidents are analysed, by what their alert says; others are kept as skipped'
  ),
  analyse_priorities: list('', '^[^\\x00]*$', 'Only these priorities, as P1,P2; empty for all'),
  analyse_tags: list('', '^[^\\x00]*$', 'Only with one of these tags; empty for all'),
  analyse_accounts: list('', '^[^\\x00]*$', 'Only of these accounts; empty for all'),
  analyse_days: list('', `^(${day}(,${day})*)?$`, 'Only on these days (UTC), as mon,tue'),
  analyse_hours: list('', `^(${clock}-${clock})?$`, 'Only at these hours (UTC), as 08:00-18:00')
}

export const config = Type.Object(
  {
    concurrency: Type.Integer({
      default: 6,
      minimum: 1,
      maximum: 64,
      description: 'Analyses at once in one process'
    }),
    timeout_seconds: Type.Integer({
      default: 120,
      minimum: 10,
      maximum: 900,
      description: 'How long one attempt may take'
    }),
    hourly_per_monitor: Type.Integer({
      default: 60,
      minimum: 0,
      maximum: 100_000,
      description:
        'Analyses that one monitor may start within an hour; alerts beyond it are kept as skipped; ' +
        '0 is without a limit'
    }),
    ...policySettings,
    ...modelSettings,
    ...mcpSettings,
    ...memorySettings,
    ...writtenToolSettings
  },
  { additionalProperties: false }
)
