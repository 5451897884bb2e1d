import { Type, type Static } from '../../core/index.ts'

/** Settings of the account from the environment; without both keys there is none. */
export const config = Type.Object({
  api_key: Type.String({ default: '', writeOnly: true, env: ['DD_API_KEY'], description: 'Datadog API key.' }),
  app_key: Type.String({ default: '', writeOnly: true, env: ['DD_APP_KEY'], description: 'Datadog application key; it decides what can be read.' }),
  site: Type.String({ default: 'datadoghq.com', env: ['DD_SITE', 'DD_API_URL'], description: 'Datadog site, such as datadoghq.eu; a pasted API or app address is understood too.' }),
  name: Type.String({ default: 'default', minLength: 1, description: 'What Rayne calls this account.' }),
  org_id: Type.String({ default: '', description: 'Datadog organisation id; alerts that name it are read with this account.' })
})
export type Config = Static<typeof config>
