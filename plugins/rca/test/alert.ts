import type { Alert } from '../../webhooks/contract.ts'

/** An alert that says nothing but what a test gives it. */
export const alertOf = (said: Partial<Alert> = {}): Alert => ({
  status: 'alert',
  transition: 'triggered',
  firing: true,
  title: null,
  message: null,
  monitor_id: null,
  monitor_name: null,
  monitor_type: null,
  alert_id: null,
  cycle_key: null,
  aggregation_key: null,
  scope: null,
  service: null,
  host: null,
  env: null,
  metric: null,
  query: null,
  priority: null,
  tags: [],
  org_id: null,
  link: null,
  snapshot_url: null,
  at: null,
  unresolved: [],
  parse_error: null,
  ...said
})
