import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { SMTPServer } from 'smtp-server'
import { Webhook } from 'standardwebhooks'
import { openChannel } from '../channels/all.ts'
import type { AnyChannel } from '../config.ts'
import type { Message } from '../contract.ts'
import { startReceiver } from './receiver.ts'

const firing: Message = {
  key: '["us1","7","env:prod"]',
  revision: 1,
  state: 'firing',
  severity: 'critical',
  title: 'checkout <!channel> 5xx',
  lines: ['Alert since 10:00 UTC: checkout-api.', 'The cause is being looked for.'],
  links: [{ label: 'Event', url: 'http://127.0.0.1:8080/v1/webhooks/events/7' }],
  account: 'us1',
  service: 'checkout-api',
  at: Date.UTC(2026, 0, 31, 10),
  members: 1,
  monitorType: 'Query Alert'
}
const resolved: Message = {
  ...firing,
  revision: 2,
  state: 'resolved',
  severity: 'info',
  lines: ['Resolved at 10:20 UTC, after 20 min.', 'It was the deploy.']
}
const context = (id = 'msg_7_1') => ({ id, signal: AbortSignal.timeout(20_000) })

/** Sends the alert and then the recovery, as the outbox does, and answers what the service got. */
async function tellBoth(t: TestContext, settings: (url: string) => AnyChannel, answer = '{}') {
  const receiver = await startReceiver(t, [], { body: answer })
  const channel = openChannel(settings(receiver.url))
  const reference = await channel.send(firing, context())
  if (reference !== undefined && channel.update)
    await channel.update(reference, resolved, context('msg_7_2'))
  else await channel.send(resolved, context('msg_7_2'))
  return receiver.got
}

test('desktop gets the payload of the first version', async t => {
  const got = await tellBoth(t, url => ({ name: 'a', kind: 'desktop', url }))
  assert.deepEqual(
    got.map(({ body }) => [body['title'], body['urgency']]),
    [
      ['💣 [query alert] checkout <!channel> 5xx', 'critical'],
      ['✅ [query alert] checkout <!channel> 5xx', 'low']
    ]
  )
  assert.match(String(got[0]?.body['message']), /looked for\.\nhttp:\/\/127/)
})

test('a webhook is signed as Standard Webhooks say', async t => {
  const secret = `whsec_${Buffer.from('a secret of twenty-four.').toString('base64')}`
  const got = await tellBoth(t, url => ({ name: 'a', kind: 'webhook', url, secret }))
  for (const { text, headers } of got)
    new Webhook(secret).verify(text, headers as Record<string, string>)
  assert.deepEqual(
    got.map(({ body, headers }) => [body['type'], headers['webhook-id']]),
    [
      ['rayne.firing', 'msg_7_1'],
      ['rayne.resolved', 'msg_7_2']
    ]
  )
})

test('slack with a token has one message, which is edited; nobody is mentioned', async t => {
  const answer = JSON.stringify({ ok: true, channel: 'C1', ts: '1.2' })
  const got = await tellBoth(
    t,
    url => ({ name: 'a', kind: 'slack', token: 'xoxb-1', channel: '#ops', api_url: url }),
    answer
  )
  assert.deepEqual(
    got.map(({ path, body }) => [path, body['channel'], body['ts']]),
    [
      ['/chat.postMessage', '#ops', undefined],
      ['/chat.update', 'C1', '1.2']
    ]
  )
  assert.equal(got[0]?.headers.authorization, 'Bearer xoxb-1')
  assert.match(String(got[1]?.body['text']), /\[RESOLVED\] checkout &lt;!channel&gt;/)
  assert.doesNotMatch(got[0]?.text ?? '', /<!channel>/)
})

test('slack that answers 200 with an error has not taken the message', async t => {
  for (const [error, code] of [
    ['channel_not_found', 'channel-refused'],
    ['ratelimited', 'channel-unavailable']
  ] as const) {
    const { url } = await startReceiver(t, [], { body: JSON.stringify({ ok: false, error }) })
    const channel = openChannel({
      name: 'a',
      kind: 'slack',
      token: 'x',
      channel: 'y',
      api_url: url
    })
    await assert.rejects(channel.send(firing, context()), { code })
  }
  const { url } = await startReceiver(t, [], { body: '<p>log in first' })
  const channel = openChannel({ name: 'a', kind: 'slack', token: 'x', channel: 'y', api_url: url })
  await assert.rejects(channel.send(firing, context()), { code: 'channel-unavailable' })
})

test('slack with an incoming webhook gets a message for each change', async t => {
  const got = await tellBoth(t, url => ({ name: 'a', kind: 'slack', webhook_url: url }), 'ok')
  assert.equal(got.length, 2)
})

test('teams gets an adaptive card without Markdown', async t => {
  const [first] = await tellBoth(t, url => ({ name: 'a', kind: 'teams', url }))
  const text = JSON.stringify(first?.body)
  assert.match(text, /application\/vnd\.microsoft\.card\.adaptive/)
  assert.match(text, /"type":"TextRun","text":"checkout <!channel> 5xx"/)
  assert.doesNotMatch(text, /"TextBlock"/)
})

test('ntfy gets topic, priority and the next click', async t => {
  const got = await tellBoth(t, url => ({
    name: 'a',
    kind: 'ntfy',
    url,
    topic: 'ops',
    token: 'tk'
  }))
  const { topic, priority, click } = got[0]?.body ?? {}
  assert.deepEqual([topic, priority, click], ['ops', 5, firing.links[0]?.url])
  assert.equal(got[0]?.headers.authorization, 'Bearer tk')
  assert.match(String(got[1]?.body['title']), /^\[RESOLVED\]/)
})

test('pagerduty has one incident, which is resolved', async t => {
  const got = await tellBoth(t, url => ({ name: 'a', kind: 'pagerduty', routing_key: 'k', url }))
  assert.deepEqual(
    got.map(({ body }) => body['event_action']),
    ['trigger', 'resolve']
  )
  assert.equal(got[0]?.body['dedup_key'], got[1]?.body['dedup_key'])
})

test('apprise gets text and a type', async t => {
  const got = await tellBoth(t, url => ({ name: 'a', kind: 'apprise', url: `${url}/notify/ops` }))
  assert.deepEqual(
    got.map(({ path, body }) => [path, body['type']]),
    [
      ['/notify/ops', 'failure'],
      ['/notify/ops', 'success']
    ]
  )
})

test('e-mail is one conversation, and no line of a sender becomes a header', async t => {
  const mails: string[] = []
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    logger: false,
    onData(stream, _session, done) {
      const parts: Buffer[] = []
      stream.on('data', (part: Buffer) => void parts.push(part))
      stream.on('end', () => {
        mails.push(Buffer.concat(parts).toString('utf8'))
        done()
      })
    }
  })
  const listening = server.listen(0, '127.0.0.1')
  await new Promise<void>(resolve => listening.once('listening', () => resolve()))
  t.after(() => new Promise<void>(resolve => server.close(() => resolve())))
  const { port } = listening.address() as { port: number }
  const channel = openChannel({
    name: 'a',
    kind: 'email',
    smtp_url: `smtp://127.0.0.1:${port}`,
    from: 'rayne@example.com',
    to: ['ops@example.com']
  })
  const evil = { ...firing, title: 'x\r\nBcc: all@example.com\r\n\r\nhello' }
  const reference = (await channel.send(evil, context())) ?? ''
  await channel.update?.(reference, resolved, context('msg_7_2'))
  const [head = ''] = (mails[0] ?? '').split('\r\n\r\n')
  assert.doesNotMatch(head, /^Bcc:/m)
  assert.match(head, /^Subject: \[critical\] x Bcc: all@example\.com hello/m)
  assert.match(mails[1] ?? '', new RegExp(`In-Reply-To: ${reference}`))
  await new Promise<void>(resolve => server.close(() => resolve()))
  await assert.rejects(channel.send(firing, context()), { code: 'channel-unavailable' })
})
