import { Type, type PluginApp } from '../../../core/index.ts'
import type { DatadogService } from '../../datadog-proxy/contract.ts'
import { recordToFile } from '../service/record.ts'
import { AlertTime, MonitorId, Name } from './options.ts'

/** `rayne record`: what an analysis reads, in a file. */
export function recordCommand(app: PluginApp<unknown>, datadog: DatadogService): void {
  app.command({
    name: 'record',
    summary: 'a redacted snapshot of what an analysis of one monitor reads',
    description:
      'A redacted snapshot of what an analysis of one monitor reads, for the simulator to replay.',
    arguments: Type.Object({
      file: Type.String({ minLength: 1, description: 'where to write, as JSON' })
    }),
    options: Type.Object({
      account: Type.String({ minLength: 1, maxLength: 255, title: 'name' }),
      monitor: MonitorId,
      window: Type.String({
        maxLength: 20,
        default: '1h',
        title: 'span',
        description: 'how far back, 5m to 7d, as 30m or 2h'
      }),
      at: AlertTime,
      service: Name,
      env: Name,
      host: Name,
      anonymise: Type.Boolean({ default: false, description: 'replace host names as well' })
    }),
    run: ({ file, ...options }, { signal }) => recordToFile(datadog, file, options, signal)
  })
}
