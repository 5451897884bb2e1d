import { Type, type Static } from '../../core/index.ts'

/** Settings of the private location on this machine; without a runner its operations are off. */
const privateLocationSettings = {
  private_location_runner: Type.String({
    default: '',
    pattern: '^$|^(podman|docker|/[\\w./-]+)$',
    description:
      'podman, docker or the absolute path of one; empty turns POST /v1/pl/refresh/{action} off.'
  }),
  private_location_service_runner: Type.String({
    default: 'systemctl',
    pattern: '^(systemctl|/[\\w./-]+)$',
    description: 'systemctl, or its absolute path.'
  }),
  private_location_image: Type.String({
    default: 'gcr.io/datadoghq/synthetics-private-location-worker:latest',
    pattern: '^\\w[\\w.:/@-]*$',
    description: 'Image of the private location worker.'
  }),
  private_location_unit: Type.String({
    default: 'container-restart.service',
    pattern: '^\\w[\\w@.-]*\\.service$',
    description: 'systemd unit that runs the worker.'
  }),
  private_location_timeout_seconds: Type.Integer({
    default: 50,
    minimum: 1,
    maximum: 55,
    description: 'Of one operation with all its commands.'
  })
}
/**
 * Settings of the account from the environment, which is stored when there is none, and of the keys that seal stored
 * ones.
 */
export const config = Type.Object({
  ...privateLocationSettings,
  api_key: Type.String({
    default: '',
    writeOnly: true,
    env: ['DD_API_KEY'],
    description: 'Datadog API key.'
  }),
  app_key: Type.String({
    default: '',
    writeOnly: true,
    env: ['DD_APP_KEY'],
    description: 'Datadog application key; it decides what can be read.'
  }),
  site: Type.String({
    default: 'datadoghq.com',
    env: ['DD_SITE', 'DD_API_URL'],
    description:
      'Datadog site, such as datadoghq.eu; a pasted API or app address is understood too.'
  }),
  name: Type.String({
    default: 'default',
    minLength: 1,
    description: 'What Rayne calls this account.'
  }),
  org_id: Type.String({
    default: '',
    pattern: '^[0-9]{0,18}$',
    description: 'Datadog organisation id; alerts that name it are read with this account.'
  }),
  https_proxy: Type.String({
    default: '',
    writeOnly: true,
    env: ['HTTPS_PROXY', 'https_proxy'],
    description: 'HTTP proxy on the way to Datadog; nothing on this machine goes through it.'
  }),
  no_proxy: Type.String({
    default: '',
    env: ['NO_PROXY', 'no_proxy'],
    description: 'Hosts that are reached without it, separated by commas.'
  }),
  secret_key: Type.String({
    default: '',
    writeOnly: true,
    env: ['RAYNE_SECRET_KEY'],
    description: 'Seals stored keys; without it a key of its own is made in RAYNE_HOME.'
  }),
  secret_key_previous: Type.String({
    default: '',
    writeOnly: true,
    env: ['RAYNE_SECRET_KEY_PREVIOUS'],
    description:
      'Earlier secret keys, separated by commas: they open what was sealed before, until ' +
      '`rayne secrets rotate` has run.'
  }),
  home: Type.String({
    default: '.rayne',
    minLength: 1,
    env: ['RAYNE_HOME'],
    description: 'Folder of secret.key.'
  })
})
export type Config = Static<typeof config>
/** What the operations of a private location need of them. */
export type PrivateLocationSettings = Pick<Config, keyof typeof privateLocationSettings>
