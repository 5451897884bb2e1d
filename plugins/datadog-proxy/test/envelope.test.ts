import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { failureOf, readEnvelope } from '../service/client/read-envelope.ts'

const envelopes: [string, string, string][] = [
  ['texts', '{"errors":["Monitor not found"]}', 'Monitor not found'],
  [
    'objects',
    '{"errors":[{"status":"400","title":"Bad Request","detail":"issue id is not an uuid"}]}',
    'issue id is not an uuid'
  ],
  ['objects with a title only', '{"errors":[{"status":"404","title":"Not Found"}]}', 'Not Found'],
  ['error_details', '{"errors":["Not Found"],"error_details":[{}]}', 'Not Found'],
  [
    'by id',
    '{"errors":{"15635960":["referenced in slos"]},"data":{"ok":[]}}',
    '15635960: referenced in slos'
  ],
  [
    'the 502 page',
    '{"status":"error","code":502,"errors":["Bad ' +
      'Gateway"],"statuspage":"http://status.datadoghq.com","email":"support@datadoghq.com"}',
    'Bad Gateway'
  ],
  [
    'HTML',
    '<html><head><title>503 Service\n Unavailable</title></head></html>',
    'an HTML page titled "503 Service Unavailable"'
  ],
  ['nothing', '', 'no explanation (empty body)'],
  ['a single error', '{"error":{"code":"x","message":"out of luck"}}', 'out of luck'],
  ['error as text', '{"status":"error","error":"Error parsing query"}', 'Error parsing query'],
  ['plain text', 'upstream connect error', 'upstream connect error'],
  [
    'an error encoded twice',
    JSON.stringify({
      errors: ["{'errors': [u\"input_validation_error(Field 'page' is invalid: invalid cursor)\"]}"]
    }),
    "input_validation_error(Field 'page' is invalid: invalid cursor)"
  ],
  [
    "the client's wrapping",
    'Unknown API Status Code!\nBody: "{"errors":["Forbidden"]}"',
    'Forbidden'
  ],
  [
    "the client's wrapping of nothing",
    'Unknown API Status Code!\nBody: ""',
    'no explanation (empty body)'
  ],
  ['several', '{"errors":["one","two","one"]}', 'one; two'],
  ['control characters', '{"errors":["a\\u001b[31mb\\nc"]}', 'a [31mb c']
]
for (const [name, body, message] of envelopes) {
  test(`the envelope of ${name} is read`, () => assert.equal(readEnvelope(body), message))
}

test('a status becomes the right failure', () => {
  const kinds = [301, 400, 401, 403, 404, 408, 409, 422, 429, 500, 502, 503, 599].map(failureOf)
  assert.deepEqual(kinds, [
    'garbage',
    'invalid',
    'forbidden',
    'forbidden',
    'not_found',
    'timeout',
    'conflict',
    'invalid',
    'rate_limited',
    'unavailable',
    'unavailable',
    'unavailable',
    'unavailable'
  ])
})

test('reading an envelope never throws and always says something on one line (property)', () => {
  const body = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.json(),
    fc.json().map(text => `{"errors":${text}}`),
    fc.json().map(text => `Unknown API Status Code!\nBody: "${text}"`),
    fc.string().map(text => `<html>${text}`)
  )
  fc.assert(
    fc.property(body, text => {
      const message = readEnvelope(text)
      return message.trim().length > 0 && message.length <= 601 && !/\p{Cc}/u.test(message)
    }),
    { numRuns: 1000 }
  )
})
