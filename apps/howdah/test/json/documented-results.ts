import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type TypeScript from 'typescript'
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

/**
 * How results differ from their types, according to TypeScript. A field that the page does not name is a difference, too.
 *
 * All at once are quicker. TypeScript is so large that a process that has loaded it starts others more slowly.
 */
export function differences(results: readonly Printed[]): string[] {
  const ts = createRequire(import.meta.url)('typescript') as typeof TypeScript
  const options: TypeScript.CompilerOptions = {
    strict: true,
    noEmit: true,
    lib: ['lib.es5.d.ts'],
    types: [],
    skipLibCheck: true,
  }
  const lines = results.map(({ type, json }, index) => {
    return `const result${index}: ${type} = ${JSON.stringify(JSON.parse(json))}`
  })
  const text = [...lines, 'export {}', types].join('\n')
  const file = ts.createSourceFile('results.ts', text, ts.ScriptTarget.Latest)
  const host = ts.createCompilerHost(options)
  const getSourceFile: typeof host.getSourceFile = (name, ...rest) =>
    name === file.fileName ? file : host.getSourceFile(name, ...rest)
  const program = ts.createProgram([file.fileName], options, { ...host, getSourceFile })
  return ts.getPreEmitDiagnostics(program).map(({ start = 0, messageText }) => {
    const line = lines[file.getLineAndCharacterOfPosition(start).line] ?? 'a type of the page'
    return `${ts.flattenDiagnosticMessageText(messageText, '\n')}: ${line}`
  })
}
