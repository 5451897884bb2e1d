import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { definePlugin, RayneError, Type } from '../index.ts'
import { createLogger } from '../log.ts'
import { redact, registerSecret } from '../redact.ts'
import { createTestApp } from '../testing.ts'
import { readSources } from './source-files.ts'
import type { Node } from './syntax.ts'
import { threadMs } from './thread-time.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
/** A text literal, or the text of a template between its values. */
function wordsOf(node: Node): string {
  const value = node['value']
  if (node.type === 'TemplateElement') return String((value as { cooked: unknown }).cooked)
  return node.type === 'Literal' && typeof value === 'string' ? value : ''
}

const secret = 'Zq8fKw2mVt6rXn4b'
const spaced = 'my dog "Rex" is 4'

/** How a secret may turn up in a text that nobody expected it in. */
const forms: readonly string[] = [
  `password=${secret}`,
  `PGPASSWORD=${secret}`,
  `DD_API_KEY=${secret} next`,
  `DD-APPLICATION-KEY: ${secret}`,
  `"dd-api-key":"${secret}"`,
  `apiKey: '${secret}'`,
  `{ appKeyAuth: '${secret}' }`,
  `client_secret=${secret}&grant=x`,
  `?token=${secret}&page=1`,
  `Authorization: Bearer ${secret}`,
  `authorization: Basic ${Buffer.from(`u:${secret}`).toString('base64')}`,
  `Proxy-Authorization: Digest a=b, response=${secret}`,
  `cookie: theme=dark; other=${secret}`,
  `"set-cookie":["a=${secret}; Path=/","b=c"]`,
  `X-Rayne-Token: ${secret}`,
  `rayne_api_${secret}${secret}`,
  `rayne_ingest_${secret}${secret}`,
  `sk-ant-api03-${secret}`,
  `postgres://rayne:${secret}@db:5432/x`,
  `redis://:${secret}@cache`,
  `https://user:p%40${secret}@host/path`,
  `access_key=${secret}`,
  `"private-key": "${secret}"`,
  `encryptionKey="${secret}"`,
  JSON.stringify({ a: { password: `${secret} and more` } }),
  JSON.stringify(JSON.stringify({ api_key: secret, n: 1 })),
  JSON.stringify(JSON.stringify({ x: JSON.stringify({ api_key: secret }) })),
  JSON.stringify({ passwd: `quote " ${secret}` }),
  JSON.stringify({ token: [secret, secret] }),
  JSON.stringify({ access_token: 12345678 }).replace('12345678', `"${secret}"`)
]

describe('redaction', () => {
  for (const form of forms)
    test(`masks the secret in ${form.replaceAll(secret, '…').slice(0, 60)}`, () => {
      const clean = redact(`before ${form}\nafter`)
      assert.ok(!clean.includes(secret), clean)
      assert.ok(!clean.includes(Buffer.from(`u:${secret}`).toString('base64')), clean)
      assert.ok(clean.startsWith('before ') && clean.endsWith('\nafter'), clean)
    })

  for (const [text, clean] of [
    ['password: swordfish', 'password: [redacted]'],
    ['password: swordfish, user: bob', 'password: [redacted], user: bob'],
    ['password: swordfish user: bob', 'password: [redacted] user: bob'],
    ['cookie: session=swordfish', 'cookie: [redacted]'],
    [
      `the link http://h/setup#rayne_setup_${'Ab-_'.repeat(11)}`,
      'the link http://h/setup#[redacted]'
    ],
    ["api_key: 'plain words here'", 'api_key: [redacted]']
  ] as const)
    test(`masks ${text.slice(0, 40)}`, () => assert.equal(redact(text), clean))

  test('leaves every word the sources say', () => {
    const said = readSources(root)
      .filter(file => !file.isTest)
      .flatMap(file => file.nodes)
      .map(wordsOf)
      .filter(text => text !== '')
    assert.ok(said.length > 5_000, `${said.length} texts`)
    assert.deepEqual(
      said.filter(text => redact(text) !== text),
      []
    )
  })

  test('masks a registered secret in every encoding', () => {
    registerSecret(spaced)
    for (const form of [spaced, encodeURIComponent(spaced), JSON.stringify({ note: spaced })])
      assert.ok(!redact(form).includes('Rex'), redact(form))
  })

  for (const text of [
    'trace_id 0123456789abcdef0123456789abcdef span 0123456789abcdef',
    '"trace_id":"0123456789abcdef0123456789abcdef"',
    'commit 3f786850e387550fdab836ed7e6dc881de23001b',
    'id 6c84fb90-12c4-11e1-840d-7b25c5ee775a',
    'max_tokens: 10000',
    '"tokens":12345',
    'the key is to restart',
    'http://127.0.0.1:8080/v1/rca',
    '"url":"http://h:8080","mail":"me@example.com"',
    '"token":null',
    '"token":{"id":"7"}',
    'monitor 12345678 on web-server-01.prod.example.com',
    'RAYNE_DATACAT_HUNG_AFTER_SECONDS must be number',
    'RAYNE_INGEST_SECRETS: each secret needs at least 16 characters',
    'set RAYNE_DATADOG_PROXY_PRIVATE_LOCATION_RUNNER to podman or docker',
    "curl -H 'X-Rayne-Token: <ingest secret>'",
    'curl -H "Authorization: Bearer $RAYNE_TOKEN"',
    'send an API token as Authorization: Bearer',
    'API_KEY=<your key>',
    'basic authentication is off',
    'token: the one of POST /v1/tokens'
  ])
    test(`leaves ${text} readable`, () => assert.equal(redact(text), text))

  test('keeps a log line JSON, whatever a secret key holds', () => {
    const lines: string[] = []
    const log = createLogger({ write: line => lines.push(line) })
    for (const value of [
      null,
      true,
      1234,
      -1.5e9,
      'text',
      'a "quoted" \\ text',
      '',
      ['a', 'b'],
      [],
      { inner: secret },
      [{ inner: 'x]' }],
      JSON.stringify({ password: spaced })
    ]) {
      log.info(
        {
          token: value,
          'x-api-key': value,
          url: 'http://h:8080',
          mail: 'me@example.com',
          nested: { password: value }
        },
        `token: ${JSON.stringify(value)}`
      )
    }
    for (const line of lines) assert.doesNotThrow(() => JSON.parse(line), line)
    assert.ok(lines.length === 12 && !lines.join('').includes('Rex'))
  })

  for (const part of [
    'a-',
    'a',
    '\\',
    '"token":',
    '\\"token\\":\\"',
    '"token":[',
    'x://a:',
    'bearer ',
    "token='",
    'cookie:',
    '"'
  ])
    test(`takes linear time on ${JSON.stringify(part)} over and over`, () => {
      const text = part.repeat(Math.ceil(500_000 / part.length))
      const started = threadMs()
      redact(text)
      const tookMs = threadMs() - started
      assert.ok(tookMs < 1_500, `${Math.round(tookMs)} ms`)
    })
})

describe('secrets in a running server', () => {
  const plugin = definePlugin({
    id: 'leaky',
    version: '1.0.0',
    config: Type.Object({ key: Type.String({ writeOnly: true }) }),
    register(app) {
      const Body = Type.Object(
        { name: Type.String({ maxLength: 5 }) },
        { additionalProperties: false }
      )
      const common = { auth: 'public', summary: 'x', response: Type.Object({}) } as const
      app.route({ ...common, method: 'POST', path: '/body', body: Body, handle: () => ({}) })
      app.route({
        ...common,
        method: 'GET',
        path: '/told',
        handle: () => {
          throw new RayneError({
            code: 'told',
            status: 400,
            message: `the key ${app.config.key} is wrong`,
            details: {
              note: app.config.key,
              password: secret,
              errors: [{ pointer: '/x', message: `token=${secret}` }]
            }
          })
        }
      })
      app.route({
        ...common,
        method: 'GET',
        path: '/thrown',
        handle: () => {
          app.log.warn(
            { key: app.config.key, headers: { authorization: `Bearer ${secret}` } },
            `calling with ${app.config.key}`
          )
          throw new Error(`cannot use ${app.config.key}, api_key=${secret}`)
        }
      })
    }
  })

  test('appear neither in answers nor in the log', async t => {
    const lines: string[] = []
    const app = await createTestApp(t, {
      plugins: [plugin],
      env: { RAYNE_LEAKY_KEY: 'wXy7-configured-key' },
      onLog: line => lines.push(line)
    })
    const answers = await Promise.all([
      app.call('GET', '/v1/leaky/told'),
      app.call('GET', '/v1/leaky/thrown'),
      app.call('POST', '/v1/leaky/body', { [`password=${secret}`]: 1, name: 'x' }),
      app.call('POST', '/v1/leaky/body', `{"token":"${secret}" oops`),
      app.call('GET', `/nothing?token=${secret}`, undefined, {
        authorization: `Bearer ${secret}`,
        cookie: `a=${secret}`
      })
    ])
    assert.deepEqual(
      answers.map(answer => answer.status),
      [400, 500, 400, 400, 404]
    )
    const everything = JSON.stringify(answers.map(answer => answer.body)) + lines.join('')
    for (const planted of [secret, 'wXy7-configured-key'])
      assert.ok(
        !everything.includes(planted),
        everything.slice(
          Math.max(0, everything.indexOf(planted) - 300),
          everything.indexOf(planted) + 40
        )
      )
    assert.match(lines.join(''), /cannot use \[redacted\]/)
  })
})
