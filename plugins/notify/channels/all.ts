import type { AnyChannel } from '../config.ts'
import type { Channel } from '../contract.ts'
import { apprise } from './apprise.ts'
import { desktop } from './desktop.ts'
import { email } from './email.ts'
import { ntfy } from './ntfy.ts'
import { pagerduty } from './pagerduty.ts'
import { slack } from './slack.ts'
import { teams } from './teams.ts'
import { webhook } from './webhook.ts'

/** The channel that settings describe. */
export function openChannel(settings: AnyChannel): Channel {
  switch (settings.kind) {
    case 'apprise':
      return apprise(settings)
    case 'desktop':
      return desktop(settings)
    case 'email':
      return email(settings)
    case 'ntfy':
      return ntfy(settings)
    case 'pagerduty':
      return pagerduty(settings)
    case 'slack':
      return slack(settings)
    case 'teams':
      return teams(settings)
    case 'webhook':
      return webhook(settings)
  }
}
