import { toSeconds } from '../../../../core/index.ts'
import { DatadogError } from '../../contract.ts'
import type { FullEventDraft } from './account.ts'
import type { Sdk } from './load-sdk.ts'
import { objectOf, textOf } from './read-json.ts'
import type { Call } from './send-request.ts'

/** Posts an event, sent once. The v1 endpoint lies on the API host; v2 has an intake host of its own. */
export async function createEvent(
  call: Call,
  sdk: Sdk,
  appUrl: string,
  draft: FullEventDraft
): Promise<{ id: string; url: string }> {
  const { at, tags, ...rest } = draft
  const body = {
    ...rest,
    tags: [...tags],
    ...(at === undefined ? {} : { dateHappened: toSeconds(at) })
  }
  const answer = await call.write('Posting events takes the API key only', async () =>
    (await sdk.v1()).events.createEvent(body)
  )
  const event = objectOf(objectOf(answer)['event'])
  // `id` is rounded by Datadog itself: 6327818704671040000 for …039975. The link has all digits where `id_str` is
  // absent.
  const id = textOf(event['id_str']) ?? /[?&]id=(\d+)/.exec(textOf(event['url']) ?? '')?.[1]
  if (id === undefined)
    throw new DatadogError(
      'garbage',
      'Datadog answered the new event without its id, so it may exist',
      { datadogStatus: 202 }
    )
  return { id, url: `${appUrl}/event/event?id=${id}` }
}
