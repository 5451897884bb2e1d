import type { Knex } from '../../../core/index.ts'
import { catalogueStore } from '../store/catalogue.ts'
import { totalsStore } from '../store/totals.ts'

/** The first of a list, and whether there are more. */
export interface Some<T> {
  readonly items: readonly T[]
  readonly more: boolean
}

/** What there is to choose from, and how much of it. */
export const createCatalogue = (db: Knex) => ({
  metrics: (limit: number) => some(limit, count => totalsStore.metrics(db, count)),
  products: (limit: number) => some(limit, count => totalsStore.products(db, count)),
  machines: (limit: number) => some(limit, count => totalsStore.machines(db, count)),
  totals: () => totalsStore.totals(db),
  values: (of: string, limit: number) => catalogueStore.values(db, of, limit),
  paths: (limit: number) => catalogueStore.paths(db, limit),
  tagKeys: (limit: number) => catalogueStore.tagKeys(db, limit)
})
export type Catalogue = ReturnType<typeof createCatalogue>

/** One more than asked for tells whether there are more. */
async function some<T>(limit: number, read: (count: number) => Promise<T[]>): Promise<Some<T>> {
  const found = await read(limit + 1)
  return { items: found.slice(0, limit), more: found.length > limit }
}
