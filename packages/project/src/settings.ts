import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readPlainFile } from '@howdah/durable'
import { ProjectError } from './errors.ts'
import { isTrusted } from './trust.ts'

/**
 * What the first use in a linked worktree does: it forks the main checkout's cluster, makes an empty one, or uses the main
 * checkout's.
 */
export type WorktreeMode = 'fork' | 'empty' | 'shared'

/** The settings in a project's `howdah.json`. */
export interface ProjectSettings {
  readonly worktrees?: WorktreeMode | undefined
}

/** The keys of `howdah.json`. Each function reads the key's value, or returns a description of a valid value. */
const keys: Readonly<Record<string, (value: unknown) => ProjectSettings | string>> = {
  $schema: (value) => (typeof value === 'string' ? {} : 'a string'),
  worktrees: (value) =>
    value === 'fork' || value === 'empty' || value === 'shared'
      ? { worktrees: value }
      : '"fork", "empty" or "shared"',
}

/**
 * The `howdah.json` in a directory; `null` if there is none that counts. A file of another user does not count,
 * and neither does the `howdah.json` of a data directory, which is howdah's own mark.
 */
export function settingsFileIn(directory: string, uid: number): string | null {
  const path = join(directory, 'howdah.json')
  return isTrusted(path, uid) && !existsSync(join(directory, 'PG_VERSION')) ? path : null
}

/** Reads a `howdah.json`. Throws {@link ProjectError} if it is not a JSON object, or has an unknown key or value. */
export function readSettings(path: string): ProjectSettings {
  let content: unknown
  try {
    content = JSON.parse(readPlainFile(path))
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new ProjectError(path, `cannot be read: ${why}; write JSON such as {}`, { cause })
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new ProjectError(path, 'is not a JSON object; write one, such as {}')
  }
  return Object.assign(
    {},
    ...Object.entries(content).map(([key, value]) => {
      const read = Object.hasOwn(keys, key) ? keys[key] : undefined
      if (read === undefined) {
        const known = Object.keys(keys).join(', ')
        throw new ProjectError(path, `has "${key}", which means nothing; known are ${known}`)
      }
      const settings = read(value)
      if (typeof settings !== 'string') return settings
      throw new ProjectError(path, `has a "${key}" that should be ${settings}`)
    }),
  ) as ProjectSettings
}
