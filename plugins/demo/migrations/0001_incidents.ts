import type { Migration } from '../../../core/index.ts'

/** The simulated incidents of this database, so that a restart goes on with the same one. */
export const incidents: Migration = {
  name: '0001_incidents',
  up: trx =>
    trx.raw(
      `create table demo_incidents (
        id bigint generated always as identity primary key,
        scenario text not null,
        onset timestamptz not null
      )`
    )
}
