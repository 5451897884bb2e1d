import type { PluginApp } from '../../core/index.ts'
import type { Secrets } from './contract.ts'

/** `rayne secrets rotate`: the keys of stored accounts under a new key. */
export function commands(app: PluginApp<unknown>, rotate: Secrets['rotate']): void {
  app.command({
    name: 'secrets rotate',
    summary: 'seal the keys of stored accounts under a new key; a running server goes on',
    changes: true,
    async run() {
      const done = await rotate()
      return {
        value: done,
        lines: [`accounts sealed anew: ${done.resealed}; older keys are not needed any more`]
      }
    }
  })
}
