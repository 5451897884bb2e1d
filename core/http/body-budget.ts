import { RayneError } from '../errors.ts'

/** Bytes of bodies that this process holds at once, of all senders and of one address. */
export const bodyBudget = { all: 134_217_728, address: 67_108_864 } as const

let all = 0
const byAddress = new Map<string, number>()

/** What one request holds of the budget; `giveBack` when its body is let go of. */
export interface BodyShare {
  /** False when there is no room for so many bytes more. */
  take(bytes: number): boolean
  giveBack(): void
}

export function shareOf(address: string): BodyShare {
  let held = 0
  const add = (bytes: number): void => {
    const ofAddress = (byAddress.get(address) ?? 0) + bytes
    all += bytes
    held += bytes
    if (ofAddress > 0) byAddress.set(address, ofAddress)
    else byAddress.delete(address)
  }
  return {
    take(bytes) {
      const ofAddress = byAddress.get(address) ?? 0
      if (all + bytes > bodyBudget.all || ofAddress + bytes > bodyBudget.address) return false
      add(bytes)
      return true
    },
    giveBack: () => add(-held)
  }
}

export const noRoom = (): RayneError =>
  new RayneError({
    code: 'overloaded',
    message: 'too many bytes of bodies are under way at once; send it again',
    details: { retryAfterSeconds: 1 }
  })
