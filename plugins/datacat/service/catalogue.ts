import type { Knex } from '../../../core/index.ts'
import { catalogueStore } from '../store/catalogue.ts'
import { totalsStore } from '../store/totals.ts'

/** What there is to choose from, and how much of it. */
export const createCatalogue = (db: Knex) => ({
  metrics: () => totalsStore.metrics(db),
  products: () => totalsStore.products(db),
  machines: () => totalsStore.machines(db),
  totals: () => totalsStore.totals(db),
  values: (of: string, limit: number) => catalogueStore.values(db, of, limit),
  paths: (limit: number) => catalogueStore.paths(db, limit),
  tagKeys: (limit: number) => catalogueStore.tagKeys(db, limit)
})
export type Catalogue = ReturnType<typeof createCatalogue>
