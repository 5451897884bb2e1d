import { createApp } from '../../../../core/app.ts'
import { readSettings } from '../../../../core/config.ts'
import { createLogger } from '../../../../core/log.ts'
import { plugins } from './plugins.ts'

const environment = { ...process.env, RAYNE_ROLE: 'worker' }
await createApp({
  settings: readSettings(environment),
  environment,
  connection: JSON.parse(process.env['TRY_CONNECTION'] ?? ''),
  plugins,
  log: createLogger({ level: 'silent' }),
  version: '0'
})
console.log('working')
