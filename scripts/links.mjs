// Whether each link between the pages of this repository leads to a file and a heading that are there. Prints those that do not, and
// ends with 1 then.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'

const list = ['ls-files', '--cached', '--others', '--exclude-standard', '*.md']
const pages = execFileSync('git', list, { encoding: 'utf8' }).split('\n').filter(existsSync)
const faults = []

for (const page of pages) {
  for (const [, link] of withoutCode(page).matchAll(/\]\((?!\w+:)([^)\s]+)\)/g)) {
    const [file, heading] = link.split('#')
    const path = file === '' ? page : join(dirname(page), file)
    if (!existsSync(path)) faults.push(`${page}: ${link} leads to no file`)
    else if (heading !== undefined && !headings(path).has(heading))
      faults.push(`${page}: ${link} leads to no heading`)
  }
}

for (const fault of faults) console.error(fault)
process.exitCode = faults.length === 0 ? 0 : 1

/** The text of a page without its blocks of code. */
function withoutCode(path) {
  return readFileSync(path, 'utf8').replaceAll(/^```.*\n(?:.*\n)*?```$/gm, '')
}

/** The anchors of a page's headings, as GitHub makes them. */
function headings(path) {
  const page = statSync(path).isDirectory() ? join(path, 'README.md') : path
  return new Set(
    [...withoutCode(page).matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}
