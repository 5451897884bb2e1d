/** The clients whose configuration `rayne mcp --print-config` knows. */
export const clientNames = ['claude-code', 'claude-desktop', 'inspector'] as const
export type ClientName = (typeof clientNames)[number]

export interface Connection {
  /** Address of a running server's `/mcp`; undefined for a program that the client starts itself. */
  readonly url: string | undefined
  /** The program and its arguments that speak over stdin and stdout. */
  readonly command: readonly string[]
  readonly home: string
}

/** What to paste or run so that a client finds this server; a token is named, and never printed. */
export function clientConfig(client: ClientName, connection: Connection): string[] {
  const { url, command, home } = connection
  const [program = '', ...args] = command
  if (client === 'claude-code')
    return url === undefined
      ? [
          `claude mcp add rayne --env RAYNE_HOME=${quoted(home)} -- ${command.map(quoted).join(' ')}`
        ]
      : [
          `claude mcp add --transport http rayne ${url} --header "Authorization: Bearer $RAYNE_TOKEN"`
        ]
  if (client === 'inspector')
    return url === undefined
      ? [`npx @modelcontextprotocol/inspector ${command.map(quoted).join(' ')}`]
      : [`npx @modelcontextprotocol/inspector --cli ${url} --method tools/list`]
  const server =
    url === undefined
      ? { command: program, args, env: { RAYNE_HOME: home } }
      : {
          command: 'npx',
          args: ['mcp-remote', url, '--header', `Authorization: Bearer $\{RAYNE_TOKEN}`],
          env: { RAYNE_TOKEN: 'a token of `rayne tokens add NAME --scope tools`' }
        }
  return JSON.stringify({ mcpServers: { rayne: server } }, null, 2).split('\n')
}

/** A word for a shell. */
const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
