import { Type, type Static } from '../../core/index.ts'
import { privateLocationSettings } from './routes/private-location.ts'

/** Settings of the account from the environment, which is stored when there is none, and of the keys that seal stored ones. */
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
      'Earlier secret keys, separated by commas: they open what was sealed before, until `rayne secrets rotate` has run.'
  }),
  home: Type.String({
    default: '.rayne',
    minLength: 1,
    env: ['RAYNE_HOME'],
    description: 'Folder of secret.key.'
  })
})
export type Config = Static<typeof config>
