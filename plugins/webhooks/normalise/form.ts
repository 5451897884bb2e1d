import { unescape } from 'node:querystring'
import { emptyFields, limits, type Fields } from './bound.ts'
import type { Decoded } from './decode.ts'

const jsonInOneField = /^[\w.-]{1,64}=(?=[[{]|%7b|%5b)/i
const formStart = /^[\w.$%+[\]-]{1,128}=/

/** Whether a content type announces a form. */
export const isForm = (contentType: string): boolean =>
  contentType.includes('x-www-form-urlencoded')

/** Whether a text without a content type reads as a form; text with line breaks or spaces does not. */
export const looksLikeForm = (text: string): boolean => formStart.test(text) && !/\s/.test(text)

/** Reads a form: flat fields, or the JSON that one of them holds; undefined when there is no field. */
export function readForm(text: string, parseJson: (text: string) => Decoded): Decoded | undefined {
  const whole = jsonInOneField.exec(text)
  if (whole) {
    const parsed = parseJson(decodeField(text.slice(whole[0].length)))
    if (isObject(parsed.value)) return parsed
  }
  const fields = readPairs(text)
  const entries = Object.entries(fields)
  const [only] = entries
  if (!only) return undefined
  const candidate =
    entries.length === 1 && only[1] === ''
      ? only[0]
      : (fields['payload'] ?? (entries.length === 1 ? only[1] : ''))
  if (typeof candidate === 'string' && /^\s{0,16}[[{]/.test(candidate)) {
    const parsed = parseJson(candidate.trim())
    if (isObject(parsed.value)) return parsed
  }
  return { value: fields, problem: null }
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null

function readPairs(text: string): Fields {
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

const decodeField = (text: string): string => unescape(text.replaceAll('+', ' '))
