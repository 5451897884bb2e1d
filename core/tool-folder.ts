import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Services } from './services.ts'
import { bootError } from './errors.ts'
import { loadTool } from './load.ts'
import type { Tool, Toolbox, ToolRegistry } from './tool.ts'

const folder = fileURLToPath(new URL('../tools/', import.meta.url))

/** Start-up pays nothing for tools: the folder is read at the first call. */
export function createToolbox(registry: ToolRegistry, services: Services): Toolbox {
  let loading: Promise<void> | undefined
  const load = (): Promise<void> =>
    (loading ??= (async () => {
      for (const file of readdirSync(folder)
        .filter(name => name.endsWith('.ts'))
        .toSorted()) {
        const tool = await loadTool(`${folder}${file}`)
        if (`${tool.name}.ts` !== file)
          throw bootError(`tools/${file} declares '${tool.name}'; a tool is named as its file`)
        registry.register('tools', tool)
      }
    })())
  const usable = ({ needs = {} }: Tool): boolean =>
    Object.values(needs).every(token => services.has(token))
  return {
    async list() {
      await load()
      return registry.list().filter(usable)
    },
    async execute(name, input, context) {
      await load()
      return registry.execute(name, input, context)
    }
  }
}
