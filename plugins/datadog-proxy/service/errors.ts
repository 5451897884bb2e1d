import { defineErrors } from '../../../core/index.ts'

/** The errors of accounts, their keys and private locations; those of Datadog's answers are in the contract. */
export const proxyErrors = defineErrors({
  'account-exists': [409, 'The name or the organisation already belongs to an account.'],
  'account-inactive': [409, 'The account is inactive; activate it first.'],
  'account-is-default': [409, 'The default account stays active; make another one the default.'],
  'account-not-found': [404, 'No account has this name.'],
  'account-simulated': [409, 'The account is simulated, so it is not stored and does not change.'],
  'datadog-key-refused': [400, 'The key is empty or has characters that no key has.'],
  'datadog-no-account-answered': ['upstream', 'No account answered; `failures` says why, each.'],
  'datadog-site-refused': [400, 'The site is none of Datadog that keys may be sent to.'],
  'default-account-kept': [
    400,
    'The default account goes last; make another one the default first.'
  ],
  'private-location-action-unknown': [404, 'A private location has no such action.'],
  'private-location-busy': [409, 'Another action is under way; try again when it is done.'],
  'private-location-failed': [502, 'A step failed; `steps` has what each printed.'],
  'private-location-off': [404, 'The operations of private locations are off in the settings.'],
  'rotation-incomplete': [500, 'A key rotation left an account behind; run it again.'],
  'rotation-running': [409, 'Another process rotates the keys just now.'],
  'secret-exposed': [500, 'Others can read the file of the key that seals the secrets.'],
  'secret-unreadable': [500, 'A stored secret or its key cannot be read.']
})
