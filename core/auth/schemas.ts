import { Type } from 'typebox'
import { tokenScopes } from './principal.ts'

/** What users and API tokens are made of, for routes and commands alike; days are until a token expires. */
export const UserName = Type.String({
  minLength: 1,
  maxLength: 100,
  pattern: '^[^\\x00-\\x1f]+$'
})
export const NewPassword = Type.String({ minLength: 12, maxLength: 200, writeOnly: true })
export const Role = Type.Union([Type.Literal('admin'), Type.Literal('member')])
export const TokenId = Type.String({ pattern: '^\\d{1,18}$' })
export const TokenDays = Type.Integer({ minimum: 1, maximum: 3650 })
export const TokenScopes = Type.Array(Type.Union(tokenScopes.map(scope => Type.Literal(scope))), {
  minItems: 1
})
