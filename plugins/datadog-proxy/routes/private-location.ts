import { Type } from '../../../core/index.ts'
import { privateLocationActions, stepOnWire } from '../service/private-location.ts'
import type { AddRoute } from './add-route.ts'

const Step = Type.Object({
  argv: Type.Array(Type.String()),
  exit_code: Type.Union([Type.Integer(), Type.Null()]),
  timed_out: Type.Boolean(),
  stdout: Type.String(),
  stderr: Type.String(),
  ms: Type.Integer()
})
/** Operations on the worker of a private location, for admins; GET is answered 405 by the platform. */
export const privateLocationRoute: AddRoute = (app, { privateLocation }) =>
  app.route({
    method: 'POST',
    path: '/pl/refresh/{action}',
    auth: 'admin',
    summary: 'Pull, remove, restart or stop the private location worker on this machine',
    description: [
      `Actions: ${privateLocationActions.join(', ')}; pp removes and pulls.`,
      'Off unless RAYNE_DATADOG_PROXY_PRIVATE_LOCATION_RUNNER is set.',
      'A command that fails is a 502 with its exit code and output.'
    ].join(' '),
    params: Type.Object({ action: Type.String({ maxLength: 40 }) }),
    response: Type.Object({ action: Type.String(), steps: Type.Array(Step) }),
    also: {
      404: 'off, or no such action',
      409: 'an operation is under way',
      502: 'a command failed'
    },
    handle: async ({ params: { action } }) => ({
      action,
      steps: (await privateLocation.run(action)).map(stepOnWire)
    })
  })
