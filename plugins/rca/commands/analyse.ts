import { Type, type PluginApp } from '../../../core/index.ts'
import { analyseNow, type AnalyseNowNeeds } from '../service/analyse-now.ts'
import { askServer } from '../service/ask-server.ts'
import { AlertTime, MonitorId, Name } from './options.ts'

/** `rayne analyse`: the cause of one alert now, without a webhook. */
export function analyseCommand(app: PluginApp<unknown>, needs: AnalyseNowNeeds): void {
  app.command({
    name: 'analyse',
    summary: 'analyse one monitor now and print the report',
    description:
      'Analyses one monitor now, without a webhook: steps while it runs, then the report as Markdown. ' +
      'It works in this process, beside a running server or without one; with --url a server does the work. ' +
      'Exit code 1 when the analysis failed.',
    standalone: ({ url }) => url !== undefined,
    options: Type.Object({
      monitor: MonitorId,
      account: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 255,
          title: 'name',
          description: 'the default account when left out'
        })
      ),
      at: AlertTime,
      service: Name,
      env: Name,
      host: Name,
      notebook: Type.Boolean({ default: true, description: 'make no notebook in Datadog' }),
      url: Type.Optional(
        Type.String({ minLength: 1, description: 'a running server, as localhost:8080' })
      ),
      token: Type.Optional(
        Type.String({
          minLength: 1,
          title: 'secret',
          writeOnly: true,
          description: 'API token for --url (or RAYNE_TOKEN)'
        })
      )
    }),
    async run({ url, token, monitor, ...asked }, context) {
      const request = { ...asked, monitor_id: monitor }
      const known = token ?? context.environment['RAYNE_TOKEN']
      return url === undefined
        ? analyseNow(needs, request, context)
        : askServer({ url, token: known }, request, context)
    }
  })
}
