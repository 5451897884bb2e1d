import type { Migration } from '../db/migrate.ts'

export const auditMigrations: readonly Migration[] = [
  {
    name: '0010_audit',
    up: trx =>
      trx.raw(`
        create table core_audit (
          id bigint primary key,
          at timestamptz not null,
          actor text not null,
          action text not null,
          outcome text not null,
          address text not null,
          previous text not null,
          hash text not null
        );
        create function core_audit_stays() returns trigger language plpgsql as
          'begin raise exception ''the audit log is only added to''; end';
        create trigger core_audit_stays before update or delete or truncate on core_audit
          for each statement execute function core_audit_stays()`)
  }
]
