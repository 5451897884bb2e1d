import { defineErrors } from '../../core/index.ts'

/** The errors of this plugin. */
export const demoErrors = defineErrors({
  'rum-not-available': [501, 'This version has no plugin whose sessions could be seeded.'],
  'simulator-refused': [400, 'The simulator cannot start as it was asked to.'],
  'webhooks-not-loaded': [501, 'Webhooks are seeded only where their plugin is loaded.']
})
