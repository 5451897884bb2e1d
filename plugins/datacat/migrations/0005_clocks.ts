import type { Migration } from '../../../core/index.ts'

const sql = `
alter table datacat_sessions add column said_at bigint;
alter table datacat_states add column said_at bigint`

/**
 * What a client with a wrong clock said of a time that is the server's instead, epoch milliseconds;
 * events and points say it among their rarer fields.
 */
export const clocks: Migration = {
  name: '0005_clocks',
  up: trx => trx.raw(sql)
}
