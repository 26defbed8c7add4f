import { readFileSync } from 'node:fs'
import ts from 'typescript'
import { readmeExamples } from '../readmes/readme-examples.ts'

const page = new URL('../../../../docs/json.md', import.meta.url)

/** What a command has printed, and the name of the type that it has to have. */
export interface Printed {
  readonly type: string
  readonly json: string
}

/** The types of the page about JSON. */
const types = readmeExamples(page)
  .filter(({ language }) => language === 'ts')
  .map(({ code }) => code)
  .join('\n')

/** The type of each command's result, by the table of the page. */
export const documented: ReadonlyMap<string, string> = new Map(
  readFileSync(page, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, commands = '', type = ''] = /^\| (`.*`) \| `(.*)` \|$/.exec(line) ?? []
      return [...commands.matchAll(/`(.*?)`/g)].map(([, command = '']) => [command, type] as const)
    }),
)

const options: ts.CompilerOptions = {
  strict: true,
  noEmit: true,
  lib: ['lib.es5.d.ts'],
  types: [],
  skipLibCheck: true,
}
const host = ts.createCompilerHost(options)

/** TypeScript's own declarations, which are the same for all results, and take longer to parse than these to check. */
const library = new Map<string, ts.SourceFile | undefined>()
const sourceOfLibrary: typeof host.getSourceFile = (name, ...rest) => {
  if (!library.has(name)) library.set(name, host.getSourceFile(name, ...rest))
  return library.get(name)
}

/** How results differ from their types, according to TypeScript. A field that the page does not name is a difference, too. */
export function differences(results: readonly Printed[]): string[] {
  const lines = results.map(({ type, json }, index) => {
    return `const result${index}: ${type} = ${JSON.stringify(JSON.parse(json))}`
  })
  const text = [...lines, 'export {}', types].join('\n')
  const file = ts.createSourceFile('results.ts', text, ts.ScriptTarget.Latest)
  const getSourceFile: typeof host.getSourceFile = (name, ...rest) =>
    name === file.fileName ? file : sourceOfLibrary(name, ...rest)
  const program = ts.createProgram([file.fileName], options, { ...host, getSourceFile })
  return ts.getPreEmitDiagnostics(program).map(({ start = 0, messageText }) => {
    const line = lines[file.getLineAndCharacterOfPosition(start).line] ?? 'a type of the page'
    return `${ts.flattenDiagnosticMessageText(messageText, '\n')}: ${line}`
  })
}
