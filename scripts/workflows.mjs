// Whether the workflows and actions are right, as GitHub's own checker tells, and allow no more than they need. Prints what is
// wrong, and ends with 1 then.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { register } from 'node:module'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

// The checker is made for bundlers: it imports JSON without saying so, which Node refuses.
const hook = `export const load = (url, context, next) =>
  next(url, url.endsWith('.json') ? { ...context, importAttributes: { type: 'json' } } : context)`
register(`data:text/javascript,${encodeURIComponent(hook)}`)
const { validate } = await import('@actions/languageservice')

const workflows = readdirSync('.github/workflows').map((name) => join('.github/workflows', name))
const actions = readdirSync('.github/actions').map((name) =>
  join('.github/actions', name, 'action.yml'),
)
const faults = []
for (const file of [...workflows, ...actions]) {
  const text = readFileSync(file, 'utf8')
  for (const { message, range } of await validate(documentOf(file, text)))
    faults.push(`${file}:${range.start.line + 1}: ${message.value ?? message}`)
  for (const [, used] of text.matchAll(/\buses: *(\S+)/g)) {
    const isOurs = used.startsWith('./') && existsSync(used)
    if (!isOurs && !/@[\da-f]{40}$/.test(used))
      faults.push(`${file}: ${used} can change: name a commit`)
  }
  if (workflows.includes(file) && !/^permissions: \{\}$/m.test(text))
    faults.push(`${file}: give permissions to jobs alone, and "permissions: {}" to the rest`)
}
for (const fault of faults) console.error(fault)
process.exitCode = faults.length === 0 ? 0 : 1

/** A document as editors have it, of which the checker reads this much. */
function documentOf(file, text) {
  const before = (offset) => text.slice(0, offset).split('\n')
  return {
    uri: pathToFileURL(resolve(file)).href,
    languageId: 'yaml',
    version: 0,
    lineCount: text.split('\n').length,
    getText: () => text,
    positionAt: (offset) => ({
      line: before(offset).length - 1,
      character: before(offset).at(-1).length,
    }),
  }
}
