import { readFileSync } from 'node:fs'

/** A block of code of a README. */
export interface ReadmeExample {
  /** The heading that it stands under, and its first line. */
  readonly title: string
  /** Why it is not run, from the comment `<!-- not run: … -->` or `<!-- not run on a Mac: … -->` before it; `null` if it is. */
  readonly reason: string | null
  /** The language that it says: `js`, `sh` or `console`. */
  readonly language: string
  readonly code: string
}

/** The blocks of code in a README, in their order. */
export function readmeExamples(readme: URL): ReadmeExample[] {
  const examples: ReadmeExample[] = []
  let heading = ''
  let reason: string | null = null
  const pattern = /^#+ (.*)\n|^<!-- not run( on a Mac)?: (.*) -->\n|^```(.*)\n((?:.*\n)*?)```\n/gm
  for (const match of readFileSync(readme, 'utf8').matchAll(pattern)) {
    const [, title, onMac, why, language, code = ''] = match
    heading = title ?? heading
    if (why !== undefined && (onMac === undefined || process.platform === 'darwin')) reason = why
    if (language === undefined) continue
    const installs = /^(npm install .*\n)+$/.test(code) ? 'pnpm try:installs installs' : null
    const types = /^(type|interface) /m.test(code) ? 'it has types' : null
    const first = code.split('\n', 1).join('')
    examples.push({
      title: `${heading}: ${first}`,
      reason: reason ?? installs ?? types,
      language,
      code,
    })
    reason = null
  }
  return examples
}
