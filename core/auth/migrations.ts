import type { Migration } from '../db/migrate.ts'

export const authMigrations: readonly Migration[] = [
  {
    name: '0001_users_sessions_tokens',
    up: trx =>
      trx.raw(`
        create table core_users (
          id bigint generated always as identity primary key,
          name text not null unique,
          password_hash text not null,
          role text not null check (role in ('admin', 'member')),
          created_at timestamptz not null default now()
        );
        create table core_sessions (
          hash text primary key,
          user_id bigint not null references core_users on delete cascade,
          expires_at timestamptz not null
        );
        create table core_tokens (
          id bigint generated always as identity primary key,
          name text not null,
          hash text not null unique,
          scopes text[] not null,
          created_at timestamptz not null default now(),
          expires_at timestamptz,
          last_used_at timestamptz,
          revoked_at timestamptz
        )`)
  },
  {
    name: '0011_session_seen',
    up: trx =>
      trx.raw('alter table core_sessions add column seen_at timestamptz not null default now()')
  }
]
