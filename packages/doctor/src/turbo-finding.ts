import { join } from 'node:path'
import { readPlainFile } from '@howdah/lock'
import type { Finding } from './finding.ts'

/** The variables that `howdah exec` sets, and that turbo's strict mode hides from tasks unless turbo.json passes them on. */
const variables = [
  'DATABASE_URL',
  'PGHOST',
  'PGPORT',
  'PGUSER',
  'PGDATABASE',
  'PGPASSWORD',
] as const

/**
 * Checks whether turbo hides the database from its tasks, as it does by default. Gives a finding if turbo.json in `top`
 * passes the variables on neither to all tasks nor to one; otherwise `null`.
 *
 * Source: "Environment Modes" and "passThroughEnv" in Turborepo's documentation.
 */
export function turboFinding(top: string): Finding | null {
  for (const name of ['turbo.json', 'turbo.jsonc']) {
    const path = join(top, name)
    const settings = readTurbo(path)
    if (settings === null || settings['envMode'] === 'loose') continue
    const tasks = Object.values(objectIn(settings, 'tasks') ?? objectIn(settings, 'pipeline') ?? {})
    const everywhere = namesIn(settings, 'globalEnv', 'globalPassThroughEnv')
    const each = tasks.map((task) => everywhere.concat(namesIn(task, 'env', 'passThroughEnv')))
    if ([everywhere, ...each].some((names) => variables.every((one) => isIn(names, one)))) continue
    return {
      check: 'turbo',
      severity: 'warning',
      subject: { path },
      what: `${path} passes DATABASE_URL and the PG* variables on to no task, so that "howdah exec -- turbo run" reaches no database`,
      cure: 'put this into it: "globalPassThroughEnv": ["DATABASE_URL", "PG*"]',
      fixable: false,
      fixed: false,
      obstacle: null,
    }
  }
  return null
}

function readTurbo(path: string): Record<string, unknown> | null {
  try {
    // The file may have comments and trailing commas.
    const plain = readPlainFile(path)
      .replaceAll(
        /("(?:[^"\\]|\\.)*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g,
        (_, text: string | undefined) => text ?? '',
      )
      .replaceAll(/("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])/g, (_, text: string | undefined) => text ?? '')
    return objectFrom(JSON.parse(plain))
  } catch {
    return null
  }
}

function objectFrom(value: unknown): Record<string, unknown> | null {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null
}

function objectIn(value: unknown, key: string): Record<string, unknown> | null {
  return objectFrom(objectFrom(value)?.[key])
}

function namesIn(value: unknown, ...keys: readonly string[]): string[] {
  return keys.flatMap((key) => {
    const names = objectFrom(value)?.[key]
    return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : []
  })
}

/** Whether a variable matches one of the names, in which `*` stands for any text. */
function isIn(names: readonly string[], variable: string): boolean {
  return names.some((name) => {
    const parts = name.split('*').map((part) => part.replaceAll(/[^\w]/g, String.raw`\$&`))
    return new RegExp(`^${parts.join('.*')}$`).test(variable)
  })
}
