import type { Migration } from '../../../core/index.ts'

/**
 * Tools written at run time, every version of each. One version of a name is served: the one a person approved last,
 * first as a canary.
 */
export const writtenTools: Migration = {
  name: '0007_written_tools',
  up: trx =>
    trx.raw(`
    create table rca_written_tools (
      id bigint generated always as identity primary key,
      name text not null,
      version integer not null,
      state text not null check (state in
        ('draft', 'tested', 'canary', 'active', 'retired', 'rejected', 'quarantined')),
      proposal json not null,
      hash text not null,
      warnings json not null,
      tests json not null,
      author text not null,
      approved_by text,
      approved_hash text,
      approved_at timestamptz,
      note text,
      calls integer not null default 0,
      failures integer not null default 0,
      recent boolean[] not null default '{}',
      created_at timestamptz not null default now(),
      changed_at timestamptz not null default now(),
      unique (name, version)
    );
    create unique index rca_written_tools_served on rca_written_tools (name)
      where state in ('canary', 'active');
    create index rca_written_tools_changed on rca_written_tools (changed_at)`)
}
