import type { Migration } from '../../../core/index.ts'

const sql = `
alter table datacat_current_states
  add column n bigint not null default 0,
  add column pending_bytes bigint not null default 0,
  add column snapshot_n bigint not null default 0,
  add column snapshot_bytes bigint not null default 0;
update datacat_current_states c
set n = s.states,
  snapshot_n = coalesce(
    (
      select max(d.n)
      from datacat_states d
      where d.session_key = c.session_key and d.snapshot is not null
    ),
    0
  )
from datacat_sessions s
where s.key = c.session_key`

/**
 * The text of a current state may lag behind: it is the state after update `n`, and the patches
 * after it, which have `pending_bytes`, are merged when it is read. So a patch costs the same
 * whatever the state weighs: the text is written again after half as many bytes of patches as it
 * has itself. `snapshot_n` is the last update whose whole state the history keeps, and
 * `snapshot_bytes` is what the patches since have.
 */
export const stateLog: Migration = {
  name: '0004_state_log',
  up: trx => trx.raw(sql)
}
