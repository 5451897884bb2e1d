/** Requests that no listener of local mode may answer; `OWN` stands for the listener's own host and port. */
export const foreignRequests: readonly (readonly [string, Record<string, string>])[] = [
  ['a rebound name', { host: 'shop.example.com' }],
  ['a name that begins like ours', { host: '127.0.0.1.example.com' }],
  ['a page of another site', { origin: 'https://shop.example.com' }],
  ['a page of another port', { origin: 'http://127.0.0.1:1' }],
  ['a page of the same port over TLS', { origin: 'https://OWN' }],
  ['a page without an origin', { origin: 'null' }],
  ['a script of another site', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }],
  ['a script that says no mode', { 'sec-fetch-site': 'cross-site' }],
  ['a script of another port', { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors' }],
  ['a form of another site', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }],
  [
    'a frame of another site',
    {
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'iframe'
    }
  ],
  ['a proxy', { 'x-forwarded-for': '192.0.2.7' }],
  ['a proxy that says its host', { 'x-forwarded-host': 'rayne.example.com' }],
  ['a proxy that ends TLS', { 'x-forwarded-proto': 'https' }],
  ['a proxy of one address', { 'x-real-ip': '192.0.2.7' }],
  ['a proxy of the newer kind', { forwarded: 'for=192.0.2.7' }]
]
