import { callJson } from '../datacat/connection.ts'
import { canonical, merged, type Json } from '../datacat/serial-merge.ts'
import { sharedKeys, type SharedWrite, type StateClient } from './client.ts'

/** Every list names offenders and should be empty. */
export interface FinalState {
  /** Clients whose part is not the serial merge of their patches. */
  readonly wrongClients: readonly string[]
  /** Shared keys whose value no last write explains. */
  readonly wrongShared: readonly string[]
  /** Top-level keys nobody wrote. */
  readonly strangers: readonly string[]
  readonly patchesStored: number
  /** Whether all stored patches, merged in their order, are the state. */
  readonly historyAgrees: boolean
}

interface Page {
  readonly states: readonly { patch: Json }[]
  readonly next_after: number | null
}

/** Compares the state at the end with what each client knows and with the history of patches. */
export async function compareFinal(
  url: string,
  session: string,
  clients: readonly StateClient[]
): Promise<FinalState> {
  const { state } = await callJson<{ state: Readonly<Record<string, Json>> }>(
    url,
    'GET',
    `/api/sessions/${session}`
  )
  const writes = clients.flatMap(client => client.shared)
  const written = sharedKeys.filter(key => writes.some(write => write.key === key))
  const known = new Set([...clients.map(client => client.name), ...written])
  const patches = await readPatches(url, session)
  return {
    wrongClients: clients
      .filter(client => canonical(valueAt(state, client.name) ?? null) !== canonical(client.own))
      .map(client => client.name),
    wrongShared: written
      .filter(key => !lastWrites(writes, key).includes(String(valueAt(state, key))))
      .map(key => JSON.stringify(key)),
    strangers: Object.keys(state).filter(key => !known.has(key)),
    patchesStored: patches.length,
    historyAgrees: canonical(patches.reduce<Json>(merged, {})) === canonical(state)
  }
}

const valueAt = (state: Readonly<Record<string, Json>>, key: string): Json | undefined =>
  Object.hasOwn(state, key) ? state[key] : undefined

/** Writes that may be the last: none that was answered before another one of the same key was asked for. */
function lastWrites(all: readonly SharedWrite[], key: string): string[] {
  const writes = all.filter(write => write.key === key)
  const lastAsked = writes.reduce((latest, write) => Math.max(latest, write.asked), 0)
  return writes.filter(write => write.answered >= lastAsked).map(write => write.value)
}

async function readPatches(url: string, session: string): Promise<Json[]> {
  const patches: Json[] = []
  for (let after: number | null | undefined; after !== null;) {
    const page: Page = await callJson<Page>(
      url,
      'GET',
      `/v1/datacat/sessions/${session}/states?limit=1000${after === undefined ? '' : `&after=${after}`}`
    )
    patches.push(...page.states.map(each => each.patch))
    after = page.next_after
  }
  return patches
}
