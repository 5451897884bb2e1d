import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import type { SourceFile } from './source-files.ts'

const rooms = [
  'plugin.ts',
  'contract.ts',
  'config.ts',
  'routes.ts',
  'routes',
  'commands.ts',
  'commands',
  'jobs.ts',
  'jobs',
  'service.ts',
  'service',
  'store.ts',
  'store',
  'pages.ts',
  'pages.tsx',
  'pages',
  'migrations',
  'test',
  'README.md'
]
/** What a plugin has besides the rooms all have, and why. */
const domainRooms: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  datacat: {
    clients: 'the libraries of applications, which stand alone',
    wire: 'bodies, times and JSON as the wire says them'
  },
  'datadog-proxy': {
    'contract-rows.ts': 'what rows of the contract look like'
  },
  notify: {
    channels: 'one way to people a file'
  },
  rca: {
    'contract-tools.ts': 'what tools are given by this plugin',
    mcp: 'the MCP server',
    model: 'the conversation with the model',
    sandbox: 'processes that hold programs nobody has to trust',
    static: 'files the pages load',
    written: 'tools written at run time, from proposal to service'
  },
  webhooks: {
    normalise: 'any body to one alert'
  }
}

/** A plugin is named like its folder and has the rooms all have, so that whoever knows one knows them all. */
export function pluginRooms(root: string, files: readonly SourceFile[]): string[] {
  const folder = path.join(root, 'plugins')
  const ids = existsSync(folder)
    ? readdirSync(folder, { withFileTypes: true })
        .filter(entry => entry.isDirectory())
        .map(entry => entry.name)
    : []
  return ids.flatMap(id => {
    const main = files.find(file => file.path === `plugins/${id}/plugin.ts`)
    const named = main && idOf(main)
    const strangers = readdirSync(path.join(folder, id)).filter(
      name => !rooms.includes(name) && !domainRooms[id]?.[name]
    )
    return [
      ...(main ? [] : [`plugins/${id} has no plugin.ts`]),
      ...(main && named !== id
        ? [
            `plugins/${id}/plugin.ts says its id is '${named ?? 'unknown'}'; it is the folder's name`
          ]
        : []),
      ...strangers.map(
        name =>
          `plugins/${id}/${name} is no room of a plugin: rename it, or list it in core/test/rooms.ts with a reason`
      )
    ]
  })
}

/** The `id` of the object given to `definePlugin`. */
function idOf(file: SourceFile): string | undefined {
  const call = file.nodes.find(
    node =>
      node.type === 'CallExpression' &&
      (node['callee'] as { name?: string }).name === 'definePlugin'
  )
  const spec = (
    call?.['arguments'] as
      | { properties?: { key?: { name?: string }; value?: { value?: unknown } }[] }[]
      | undefined
  )?.[0]
  const id = spec?.properties?.find(property => property.key?.name === 'id')?.value?.value
  return typeof id === 'string' ? id : undefined
}
