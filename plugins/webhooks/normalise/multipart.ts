import { emptyFields, type Fields } from './bound.ts'

const maxParts = 100
const announced = /boundary\s{0,4}=\s{0,4}(?:"([^"]{1,70})"|([^\s;,"]{1,70}))/i

/**
 * The named parts of a multipart body as fields, in order; undefined when it is none. Without a content type the first
 * line is the boundary, where a part says of itself what it is.
 */
export function readMultipart(text: string, contentType: string): Fields | undefined {
  const isAnnounced = /multipart\//i.test(contentType)
  if (!isAnnounced && !/^--[^\r\n]{1,70}\r?\ncontent-/i.test(text)) return undefined
  const [, quoted, plain] = (isAnnounced && announced.exec(contentType)) || []
  const boundary = quoted ?? plain ?? /^\s{0,4}--([^\r\n]{1,70})/.exec(text)?.[1]
  if (boundary === undefined) return undefined
  const fields = emptyFields()
  for (const part of text.split(`--${boundary}`, maxParts + 1).slice(1)) {
    const blank = /\r?\n\r?\n/.exec(part)
    if (!blank) continue
    const name = /\bname="([^"]{1,128})"/i.exec(part.slice(0, blank.index))?.[1]
    fields[name ?? `part ${Object.keys(fields).length + 1}`] = part
      .slice(blank.index + blank[0].length)
      .replace(/\r?\n$/, '')
  }
  return Object.keys(fields).length > 0 ? fields : undefined
}
