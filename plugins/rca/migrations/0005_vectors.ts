import type { Migration } from '../../../core/index.ts'

/** Vectors of incidents, and where each incident's is kept: store and collection, null until it is. */
export const vectors: Migration = {
  name: '0005_vectors',
  up: trx =>
    trx.raw(`
    alter table rca_analyses add column embedded_in text;
    create index rca_analyses_embedded on rca_analyses (number) where signs is not null;
    create table rca_vectors (
      analysis_id uuid primary key references rca_analyses (id) on delete cascade,
      collection text not null,
      vector bytea not null
    )`)
}
