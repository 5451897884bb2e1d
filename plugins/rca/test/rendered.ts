import MarkdownIt from 'markdown-it'
import type { NotebookCell } from '../../datadog-proxy/contract.ts'

/** As permissive as a page may be: HTML is HTML, and addresses are links without being written as such. */
const page = new MarkdownIt({ html: true, linkify: true })
page.linkify.set({ fuzzyLink: false })

/** A cell as a reader's page shows it. */
export interface Rendered {
  /** The elements in their order; texts are left out. */
  readonly elements: readonly string[]
  /** Where links and images lead. */
  readonly links: readonly string[]
  readonly text: string
}

const isText = /^(?:text|inline|text_special)$/

/** Renders one cell; what is plain text for Datadog has no elements. */
export function renderedCell(cell: NotebookCell): Rendered {
  if (cell.type !== 'markdown') return { elements: [], links: [], text: cell.title }
  const tokens = page.parse(cell.text, {}).flatMap(token => [token, ...(token.children ?? [])])
  return {
    elements: tokens.map(token => token.type).filter(type => !isText.test(type)),
    links: tokens.flatMap(token =>
      ['href', 'src'].flatMap(name => {
        const address = token.attrGet(name)
        return address === null ? [] : [String(address)]
      })
    ),
    text: tokens
      .flatMap(token => (/^(?:text|code_inline)$/.test(token.type) ? [token.content] : []))
      .join(' ')
  }
}
