import { Type, type PluginApp } from '../../../core/index.ts'

/** `rayne receive`: one webhook from a file to a running server. */
export function commands(app: PluginApp<unknown>): void {
  app.command({
    name: 'receive',
    summary: 'post one webhook from a file to a running server',
    description:
      'Posts one webhook from a file to a running server, as a sender would, and waits for its analysis.',
    standalone: true,
    arguments: Type.Object({
      file: Type.String({ minLength: 1, description: 'the webhook body' })
    }),
    options: Type.Object({
      url: Type.Optional(
        Type.String({
          minLength: 1,
          description: 'the server, as localhost:8080 (http://127.0.0.1:$PORT when left out)'
        })
      ),
      account: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 255,
          title: 'name',
          description: 'route it to this account'
        })
      ),
      token: Type.Optional(
        Type.String({
          minLength: 1,
          title: 'secret',
          writeOnly: true,
          description: 'ingest secret (or RAYNE_TOKEN)'
        })
      ),
      wait: Type.Integer({
        minimum: 0,
        maximum: 3_600,
        default: 15,
        title: 'seconds',
        description: 'how long to wait for the analysis'
      })
    }),
    async run(input, context) {
      const { postFile } = await import('./post-file.ts')
      return postFile(input, context)
    }
  })
}
