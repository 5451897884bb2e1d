import type { SimAccount } from '../simulator.ts'
import { call, NOW } from './client.ts'
import type { Existing } from './recorded.ts'
import { nth, type MonitorItem, type One } from './wire.ts'

/** The recorded organisation had notebooks; so that the list is not empty, one like them. */
const example = {
  data: {
    type: 'notebooks',
    attributes: {
      name: 'Example',
      time: { live_span: '1h' },
      metadata: { type: 'investigation' },
      cells: [
        {
          type: 'notebook_cells',
          attributes: {
            definition: { type: 'timeseries', requests: [{ q: 'avg:system.load.1{*}' }] }
          }
        }
      ]
    }
  }
}

/** Things the recorded organisation had before: so that lists are not empty, one of each. */
export async function furnish(account: SimAccount): Promise<Existing> {
  const listed = await call<MonitorItem[]>(account, 'GET', '/api/v1/monitor')
  const monitor = nth(listed.body, 0).id
  await call(account, 'POST', '/api/v1/notebooks', example)
  const notebook = (await call<One<unknown, number>>(account, 'POST', '/api/v1/notebooks', example))
    .body.data.id
  const downtime = (scope: string, identifier: object) =>
    call(account, 'POST', '/api/v2/downtime', {
      data: {
        type: 'downtime',
        attributes: { scope, monitor_identifier: identifier, schedule: { start: null } }
      }
    })
  await downtime('*', { monitor_id: monitor })
  await downtime('host:"app-01"', { monitor_tags: ['*'] })
  const events = (
    await call(account, 'GET', `/api/v1/events?start=${NOW / 1000 - 86_400}&end=${NOW / 1000}`)
  ).text
  for (let i = 0; i < 3; i++)
    await call(account, 'POST', '/api/v2/incidents', {
      data: {
        type: 'incidents',
        attributes: { title: `Example ${i}`, customer_impacted: false },
        relationships: { commander_user: { data: { id: 'x', type: 'users' } } }
      }
    })
  const location = (
    await call<{ private_location: { id: string } }>(
      account,
      'POST',
      '/api/v1/synthetics/private-locations',
      {
        name: 'example',
        description: '',
        tags: []
      }
    )
  ).body.private_location.id
  await downtime('env:prod', { monitor_tags: ['*'] })
  await downtime('env:staging', { monitor_tags: ['*'] })
  return { location, monitor, notebook, event: /"id":(\d+)/.exec(events)?.[1] ?? '' }
}
