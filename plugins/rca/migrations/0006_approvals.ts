import type { Migration } from '../../../core/index.ts'

/** What a tool wants to change, who allowed it, and what came of it. */
export const approvals: Migration = {
  name: '0006_approvals',
  up: trx =>
    trx.raw(`
    create table rca_approvals (
      id uuid primary key default gen_random_uuid(),
      tool text not null,
      account text not null,
      arguments jsonb not null,
      hash text not null,
      says text not null,
      asked_by text not null,
      asked_at timestamptz not null default now(),
      expires_at timestamptz not null,
      decision text check (decision in ('approved', 'rejected')),
      decided_by text,
      decided_at timestamptz,
      secret_hash text,
      used_by text,
      used_at timestamptz,
      outcome text
    );
    create index rca_approvals_open on rca_approvals (asked_by, hash) where used_at is null`)
}
