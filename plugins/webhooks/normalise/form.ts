import { unescape } from 'node:querystring'
import { emptyFields, limits, type Fields } from './bound.ts'
import { isKnownName } from './names.ts'

const jsonInOneField = /^[\w.-]{1,64}=(?=[[{]|%7b|%5b)/i
const formStart = /^[\w.$%+[\]-]{1,128}=/

/** Whether a content type announces a form. */
export const isForm = (contentType: string): boolean =>
  contentType.includes('x-www-form-urlencoded')

/** Whether a text without a content type reads as a form; text with line breaks or spaces does not. */
export const looksLikeForm = (text: string): boolean => formStart.test(text) && !/\s/.test(text)

/** The JSON that is all of a form: `payload={…}`, percent-encoded or not; undefined when it begins otherwise. */
export function jsonOfForm(text: string): string | undefined {
  const start = jsonInOneField.exec(text)
  return start ? decodeField(text.slice(start[0].length)) : undefined
}

/** The fields of a form, decoded; a name that comes again, or ends in `[]`, makes a list. */
export function readForm(text: string): Fields {
  const fields = emptyFields()
  for (const pair of text.split('&', limits.values)) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const key = decodeField(equals < 0 ? pair : pair.slice(0, equals)).replace(/\[\]$/, '')
    const value = equals < 0 ? '' : decodeField(pair.slice(equals + 1))
    const before = fields[key]
    if (before === undefined) fields[key] = value
    else if (Array.isArray(before)) before.push(value)
    else fields[key] = [before, value]
  }
  return fields
}

/**
 * The text among fields that holds the rest as JSON: the only one, the one named `payload` or `json`, or any where no
 * other field says something of an alert.
 */
export function jsonAmong(fields: Fields): string | undefined {
  const entries = Object.entries(fields)
  const [only] = entries
  const single = entries.length === 1 && only ? (only[1] === '' ? only[0] : only[1]) : undefined
  const others = entries.some(([name]) => isKnownName(name)) ? [] : entries.map(([, text]) => text)
  return [single, fields['payload'], fields['json'], ...others].find(
    (text): text is string => typeof text === 'string' && /^\s{0,16}[[{]/.test(text)
  )
}

const decodeField = (text: string): string => unescape(text.replaceAll('+', ' '))
