import { userInfo } from 'node:os'
import type { App } from '../app.ts'
import type { CommandInput } from '../command.ts'

/** Tells the audit log of a command that changed something, by whose terminal and for which names or ids. */
export function noteCommand({ audit }: App, name: string, given: CommandInput['arguments']): void {
  const words = [given['name'], given['id']].flat().filter(word => word !== undefined)
  audit.add({
    actor: `command line ${ownName()}`,
    action: ['rayne', name, ...words].join(' ').slice(0, 300),
    outcome: 'done',
    address: ''
  })
}

function ownName(): string {
  try {
    return userInfo().username
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`
  }
}
