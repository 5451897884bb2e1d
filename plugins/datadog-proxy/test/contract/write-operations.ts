import assert from 'node:assert/strict'
import { epochMs, type EpochSeconds } from '../../../../core/index.ts'
import type { NotebookCell } from '../../contract.ts'
import type { EventDraft, NotebookBody } from '../../service/client/account.ts'
import { bodyOf, dataOf, textOf, type Json, type Operation } from './operation.ts'
import type { Interaction, RecordedRequest, RecordedResponse, Recording } from './recordings.ts'

const lastPart = (path: string): string => decodeURIComponent(path.split('/').at(-1) ?? '')
const missing: RecordedResponse = {
  status: 404,
  headers: { 'content-type': 'application/json' },
  body: { errors: ['Webhook does not exist'] }
}

const notebookParts = [
  'body.data.attributes.time',
  'body.data.attributes.status',
  'body.data.attributes.cells'
]

function draftOf({ request }: Interaction, recording: Recording): NotebookBody {
  const { name = '', cells = [] } = ((request.body as Json | null)?.['data']?.attributes ?? {}) as {
    name?: string
    cells?: Json[]
  }
  const asCell = ({ attributes: { definition = {} } = {} }: Json): NotebookCell =>
    definition.type === 'markdown'
      ? { type: 'markdown', text: textOf(definition.text) }
      : {
          type: 'timeseries',
          title: textOf(definition.title),
          query:
            definition.requests?.[0]?.q ??
            definition.requests?.[0]?.queries?.[0]?.query ??
            'avg:system.load.1{*}'
        }
  return {
    name,
    cells: cells.map(asCell),
    window: { from: epochMs(recording.at - 3_600_000), to: epochMs(recording.at) }
  }
}

function verifyNotebook(result: unknown, [page]: readonly Interaction[]): void {
  const { id, attributes } = bodyOf(page!)['data']
  const ref = result as Json
  assert.deepEqual([ref['id'], ref['name']], [String(id), attributes.name])
  assert.ok(ref['url'].endsWith(`/notebook/${id}`))
}

const createNotebook: Operation = {
  own: notebookParts,
  drive: (account, interaction, _pages, recording) =>
    account.createNotebook(draftOf(interaction, recording)),
  verify: verifyNotebook
}
const updateNotebook: Operation = {
  own: notebookParts,
  drive: (account, interaction, _pages, recording) =>
    account.updateNotebook(lastPart(interaction.request.path), draftOf(interaction, recording)),
  verify: verifyNotebook
}

const createEvent: Operation = {
  own: [],
  drive(account, { request }) {
    const {
      title = '',
      text = '',
      tags = [],
      host,
      alert_type: alertType,
      date_happened: at
    } = request.body as {
      title?: string
      text?: string
      tags?: string[]
      host?: string
      alert_type?: EventDraft['alertType']
      date_happened?: EpochSeconds
    }
    return account.createEvent({
      title,
      text,
      tags,
      ...(host ? { host } : {}),
      ...(alertType ? { alertType } : {}),
      ...(at ? { at: epochMs(at * 1000) } : {})
    })
  },
  verify(result, [page]) {
    const { event } = bodyOf(page!)
    assert.equal((result as Json)['id'], event.id_str ?? event.url.split('id=')[1])
  }
}

const createDowntime: Operation = {
  own: [],
  drive(account, { request }) {
    const {
      scope,
      message,
      monitor_identifier: monitor
    } = (request.body as Json)['data'].attributes as {
      scope: string
      message?: string
      monitor_identifier: { monitor_tags?: string[]; monitor_id?: number }
    }
    return account.createDowntime({
      scope,
      to: null,
      monitor: monitor.monitor_tags
        ? { tags: monitor.monitor_tags }
        : { id: String(monitor.monitor_id) },
      ...(message ? { message } : {})
    })
  },
  verify(result, [page]) {
    const { id, attributes } = bodyOf(page!)['data']
    const made = result as Json
    assert.deepEqual(
      [
        made['id'],
        made['scope'],
        made['status'],
        made['message'],
        made['monitorTags'],
        made['from'],
        made['to']
      ],
      [
        id,
        attributes.scope,
        attributes.status,
        attributes.message,
        attributes.monitor_identifier.monitor_tags,
        Date.parse(attributes.schedule.start),
        undefined
      ]
    )
  }
}

const cancelDowntime: Operation = {
  own: [],
  goneIsFine: true,
  drive: (account, { request }) => account.cancelDowntime(lastPart(request.path)),
  verify: result => assert.equal(result, undefined)
}

const webhookOf = ({ request }: Interaction): { name: string; url: string } => {
  const { name = lastPart(request.path), url = '' } = (request.body ?? {}) as {
    name?: string
    url?: string
  }
  return { name, url }
}
function verifyWebhook(result: unknown, [page]: readonly Interaction[]): void {
  const { name, url, payload } = bodyOf(page!)
  assert.deepEqual(
    [(result as Json)['name'], (result as Json)['url'], (result as Json)['payload']],
    [name, url, payload]
  )
}
// The search before the creation finds nothing, as it did when the recording was made.
const noneYet = ({ method }: RecordedRequest): RecordedResponse | undefined =>
  method === 'GET' ? missing : undefined
const createWebhook: Operation = {
  own: [],
  first: noneYet,
  drive: (account, interaction) => account.createWebhook(webhookOf(interaction)),
  verify: verifyWebhook
}
const updateWebhook: Operation = {
  own: [],
  drive: (account, interaction) => account.updateWebhook(webhookOf(interaction)),
  verify: verifyWebhook
}

const saveService: Operation = {
  own: [],
  drive: (account, { request }) => account.saveService(request.body as Json),
  verify(result, pages) {
    const [{ attributes: { schema } } = { attributes: {} }] = dataOf(pages) as [Json]
    assert.deepEqual(
      [(result as Json)['name'], (result as Json)['schema']],
      [schema['dd-service'], schema]
    )
  }
}

/** Recorded writes. */
export const writeOperations: Readonly<Record<string, Operation>> = {
  'v1.EventsApi.createEvent': createEvent,
  'v1.NotebooksApi.createNotebook': createNotebook,
  'v1.NotebooksApi.updateNotebook': updateNotebook,
  'v1.WebhooksIntegrationApi.createWebhooksIntegration': createWebhook,
  'v1.WebhooksIntegrationApi.updateWebhooksIntegration': updateWebhook,
  'v2.DowntimesApi.cancelDowntime': cancelDowntime,
  'v2.DowntimesApi.createDowntime': createDowntime,
  'v2.ServiceDefinitionApi.createOrUpdateServiceDefinitions': saveService
}
