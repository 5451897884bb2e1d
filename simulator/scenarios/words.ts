/** The classes of cause a truth and a report may name; `none` where nothing is wrong. */
export const causeClasses = [
  'change.deploy',
  'change.config',
  'change.feature_flag',
  'change.schema',
  'change.infrastructure',
  'change.dependency_version',
  'resource.cpu',
  'resource.memory',
  'resource.memory_leak',
  'resource.disk',
  'resource.connection_pool',
  'resource.thread_pool',
  'resource.file_descriptors',
  'resource.quota',
  'load.traffic_surge',
  'load.batch_job',
  'load.retry_storm',
  'load.hot_key',
  'dependency.external',
  'dependency.internal',
  'dependency.database',
  'dependency.cache',
  'dependency.queue',
  'network.dns',
  'network.partition',
  'network.latency',
  'security.certificate_expired',
  'security.credentials_expired',
  'data.bad_input',
  'data.poison_message',
  'host.node_failure',
  'host.noisy_neighbour',
  'clock.skew',
  'none',
  'unknown'
] as const

/** The classes of remedy. */
export const remedyClasses = [
  'rollback',
  'flag_off',
  'revert_config',
  'scale',
  'restart',
  'failover',
  'free_space',
  'renew_certificate',
  'rotate_credentials',
  'raise_limit',
  'shed_load',
  'skip_message',
  'fix_dns',
  'drain_node',
  'fix_data',
  'adjust_monitor',
  'contact_provider',
  'none'
] as const

/** The component and the class of a world in which nothing is wrong. */
export const NOTHING_WRONG = 'none'
