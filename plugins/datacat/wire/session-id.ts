import { notFound, type RayneError } from '../../../core/index.ts'

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * Whether a text can be the id of a session; anything else is an unknown one, and nothing the
 * database should be asked.
 */
export const isSessionId = (text: string): boolean => uuid.test(text)

/** The 404 of an id that no session has. */
export const unknownSession = (id: string): RayneError =>
  notFound('session', id.slice(0, 64), 'GET /v1/datacat/sessions')
