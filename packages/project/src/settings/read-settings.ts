import { basename } from 'node:path'
import { readPlainFile } from '@howdah/durable'
import schema from '../../howdah.schema.json' with { type: 'json' }
import { ProjectError } from '../errors.ts'
import { lineAt, lineInJson } from './line-in-json.ts'
import { nearestWord } from './nearest-word.ts'
import type { ProjectSettings } from './project-settings.ts'
import { type Fault, faultOf, type RootSchema } from './schema.ts'
import { packageKey } from './settings-file.ts'

/**
 * Reads the settings of a project. Throws {@link ProjectError}, with the line, if the file is no JSON, or has a key or a value
 * that the schema does not know.
 */
export function readSettings(path: string): ProjectSettings {
  const { text, content } = parse(path)
  const isPackage = basename(path) === 'package.json'
  const settings = isPackage ? (content as Record<string, unknown>)[packageKey] : content
  const fault = faultOf(settings, schema as unknown as RootSchema, schema as unknown as RootSchema)
  if (fault === null) {
    const { $schema: _schema, ...known } = settings as ProjectSettings & { $schema?: string }
    return known
  }
  const line = lineInJson(text, isPackage ? [packageKey, ...fault.path] : fault.path)
  throw new ProjectError(path, describe(fault), { line })
}

function parse(path: string): { text: string; content: unknown } {
  let text = ''
  try {
    text = readPlainFile(path)
    return { text, content: JSON.parse(text) }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    const isSyntax = cause instanceof SyntaxError
    const at = /\bposition (\d+)/.exec(why)?.[1]
    const line = isSyntax ? lineAt(text.trimEnd(), at === undefined ? Infinity : Number(at)) : null
    throw new ProjectError(path, `cannot be read: ${why}; write JSON such as {}`, { line, cause })
  }
}

function describe({ path, expected, known }: Fault): string {
  if (path.length === 0) return 'is not a JSON object of settings; write one, such as {}'
  const steps = path.map((key) => (/^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${keyOf(key)}]`))
  const plain = steps.join('').replace(/^\./, '')
  const place = plain.includes('"') ? plain : `"${plain}"`
  if (expected !== null) return `has a ${place} that should be ${expected}`
  const nearest = nearestWord(path.at(-1) ?? '', known)
  const cure = nearest === null ? `known are ${known.join(', ')}` : `did you mean "${nearest}"?`
  return `has ${place}, which means nothing; ${cure}`
}

function keyOf(key: string): string {
  return /^\d+$/.test(key) ? key : JSON.stringify(key)
}
