/** One hunk of a diff: the lines that came and went in one place of one file. */
export interface Hunk {
  readonly file: string
  readonly header: string
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly context: readonly string[]
  /** All lines in order, each with its sign: `+`, `-` or a space. */
  readonly lines: readonly string[]
}

// What a person would not read either; the rules cost time with the length of a line.
const maxChars = 200_000
const maxLine = 400

/** Splits a diff into hunks, whether it is a unified one or has only `@@ path: context` headings. */
export function readDiff(diff: string, files: readonly string[]): Hunk[] {
  const hunks: Hunk[] = []
  let file = files[0] ?? ''
  let header = ''
  let lines: string[] = []
  const close = (): void => {
    if (lines.length > 0) hunks.push(hunkOf(file, header, lines))
    lines = []
  }
  for (const whole of diff.slice(0, maxChars).split('\n')) {
    const line = whole.slice(0, maxLine)
    if (/^(?:diff |index [0-9a-f]+\.\.|--- (?:a\/|\/dev)|\+\+\+ (?:b\/|\/dev))/.test(line)) {
      close()
      file = /^\+\+\+ b\/(.+)$/.exec(line)?.[1] ?? file
    } else if (line.startsWith('@@')) {
      close()
      header = line.replaceAll('@@', '').trim()
      file = fileIn(header, files) ?? file
    } else lines.push(line)
  }
  close()
  return hunks
}

/** The file that a heading names: its path, else its last part. */
const fileIn = (header: string, files: readonly string[]): string | undefined =>
  files.find(path => header.includes(path)) ??
  files.find(path => header.includes(path.split('/').at(-1) ?? path))

function hunkOf(file: string, header: string, lines: readonly string[]): Hunk {
  const signed = (sign: string): string[] =>
    lines.filter(line => line.startsWith(sign)).map(line => line.slice(1).trim())
  const all = [signed('+'), signed('-')] as const
  // A line that only moved, or changed its indentation, neither came nor went.
  const [added, removed] = [without(all[0], all[1]), without(all[1], all[0])]
  const context = lines.filter(line => !/^[+-]/.test(line)).map(line => line.trim())
  return { file, header, lines, context, added, removed }
}

function without(lines: readonly string[], others: readonly string[]): string[] {
  const rest = new Map<string, number>()
  for (const line of others) rest.set(line, (rest.get(line) ?? 0) + 1)
  return lines.filter(line => {
    const count = rest.get(line) ?? 0
    if (count > 0) rest.set(line, count - 1)
    return line !== '' && count === 0
  })
}

const inertPaths = [
  /\.(?:md|rst|adoc)$|(?:^|\/)(?:docs?|documentation|runbooks)\/|(?:^|\/)(?:README|CHANGELOG|LICENSE|CODEOWNERS|NOTICE)/i,
  /[._-](?:test|tests|spec|e2e|bench)\.\w+$|(?:^|\/)test_[^/]+$|(?:^|\/)(?:tests?|testdata|__tests__|fixtures|golden|mocks?|e2e)\//i,
  /_(?:fuzz_)?test\.\w+$/i,
  /^\.(?:github|gitlab|circleci|buildkite)|(?:^|\/)(?:\.gitlab-ci|Jenkinsfile|\.golangci|\.eslintrc|\.prettierrc|\.editorconfig|\.gitignore|\.pre-commit)/i,
  /\.(?:css|scss|sass|less|svg|png|jpe?g|gif|ico|woff2?|storybook)$/i,
  /(?:^|\/)(?:locales?|i18n|translations)\//i,
  /(?:^|[/._-])(?:staging|stage|sandbox|preview|dev|local)(?:[/._-]|$)/i
]
const dependencyLists = /(?:^|\/)(?:requirements[^/]*|constraints)\.txt$/i

/** Files that production does not run: documents, tests, pipelines, styles, translations, other environments. */
export const isInertFile = (path: string): boolean =>
  !dependencyLists.test(path) && inertPaths.some(pattern => pattern.test(path))

const comment = /^(?:\/\/|#(?!\s*include)|\*|\/\*|<!--|--\s|"""|''')/
const cosmetic =
  /#[0-9a-f]{3,8}\b|\b\d+(?:\.\d+)?(?:px|rem|em|vh|vw)\b|\b(?:padding|margin|color|font|border|radius|className|style|icon|label|title|alt|placeholder)\b/i
const logging =
  /^(?:await\s+)?(?:this\.|self\.)?_?(?:log|logger|logging|console|slog|zap|klog)\w*[.(]/i

/** Whether a line changes only what people see: a comment, a style, a word in a log. */
export const isCosmeticLine = (line: string): boolean =>
  comment.test(line) ||
  logging.test(line) ||
  (cosmetic.test(line) && !/\b(?:if|for|return|await|func|def|select)\b/i.test(line))
