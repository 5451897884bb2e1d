/** The one person of every simulated organisation, as JSON:API includes them. */
export const author = {
  type: 'users',
  id: '3ad549bf-eba0-11e9-a77a-0705486660d0',
  attributes: {
    name: null,
    handle: 'sre@example.com',
    created_at: '2019-10-02T08:15:39.795051+00:00',
    modified_at: '2020-06-15T12:33:12.884459+00:00',
    email: 'sre@example.com',
    icon: 'https://secure.gravatar.com/avatar/00000000000000000000000000000000?s=48&d=retro',
    title: 'Site reliability engineer',
    verified: true,
    service_account: false,
    disabled: false,
    allowed_login_methods: [],
    status: 'Active'
  }
} as const

/** The same person inside an incident. */
export const responder = {
  data: {
    type: 'users',
    id: author.id,
    attributes: {
      uuid: author.id,
      handle: author.attributes.handle,
      email: author.attributes.email,
      name: 'SRE',
      icon: author.attributes.icon
    }
  }
} as const
