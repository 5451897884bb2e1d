import path from 'node:path'
import type { AlertBody } from '../payload.ts'
import {
  askDatabase,
  createHome,
  freePort,
  startProduct,
  type Product
} from '../process/product.ts'
import { printTopCosts } from '../process/profile.ts'
import { untilAccepted } from './first-answer.ts'
import type { Variant } from './variants.ts'

/** One variant that runs, with a database of its own; it is frozen unless it is measured. */
export interface Server {
  readonly variant: Variant
  readonly home: string
  readonly product: Product
  /** Ends it and removes its data. */
  end(): Promise<void>
}

/** Starts a variant and waits for its first answer; with a folder it writes a CPU profile there, and prints it. */
export async function startServer(
  variant: Variant,
  body: AlertBody,
  profiles: string | undefined
): Promise<Server> {
  const { home, remove } = await createHome()
  const profile =
    profiles === undefined ? undefined : path.resolve(profiles, `ingest-${variant.id}.cpuprofile`)
  const product = startProduct({ home, port: await freePort(), env: variant.env, profile })
  await untilAccepted(product, body.of('start'))
  return {
    variant,
    home,
    product,
    async end() {
      await (profile === undefined ? product.kill() : product.stop())
      await remove()
      if (profile !== undefined) printTopCosts(profile)
    }
  }
}

/**
 * Alerts in the database whose cycle begins with a text; a key that came twice counts once, so a duplicate cannot
 * hide a loss.
 */
export async function countStored(home: string, beginning: string, afterId = 0): Promise<number> {
  const [row] = await askDatabase<{ stored: string }>(
    home,
    `select count(distinct convert_from(raw, 'UTF8')::json->>'alert_cycle_key') as stored
    from webhooks_bodies
    where event_id > $1
      and convert_from(raw, 'UTF8')::json->>'alert_cycle_key' like $2`,
    [afterId, `${beginning}%`]
  )
  return Number(row?.stored)
}

/** How many transactions that write a database has begun so far. */
export async function transactionsOf(home: string): Promise<number> {
  const [row] = await askDatabase<{ id: string }>(home, 'select pg_current_xact_id()::text as id')
  return Number(row?.id)
}
