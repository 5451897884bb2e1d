import type { PluginApp } from '../../../core/index.ts'
import type { Accounts } from '../service/accounts.ts'
import type { Datadog } from '../service/datadog.ts'
import type { PrivateLocation } from '../service/private-location.ts'

/** What the proxy routes serve. */
export interface Proxied {
  readonly datadog: Datadog
  readonly privateLocation: PrivateLocation
}
/** What all routes of this plugin serve. */
export interface Served extends Proxied {
  readonly accounts: Accounts
}
/** One route, which the plugin adds to the platform when it is registered. */
export type AddRoute<S = Proxied> = (app: PluginApp<unknown>, served: S) => void
