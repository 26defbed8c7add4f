import { join } from 'node:path'
import { readSmallFile } from '../read-small-file.ts'

/** The settings of a repository about its work tree. */
export interface Core {
  readonly bare: boolean
  /** `core.worktree`, as it is written. */
  readonly worktree: string | null
}

/**
 * `core.bare` and `core.worktree` of a repository, in its `config` and in its `config.worktree`, which takes precedence.
 * Included files are not read. Source: "CONFIGURATION FILE" in git-config(1).
 */
export function coreOf(repository: string): Core {
  const values = new Map<string, string>()
  for (const name of ['config', 'config.worktree']) {
    const text = readSmallFile(join(repository, name)) ?? ''
    for (const [key, value] of coreLines(text)) values.set(key, value)
  }
  const bare = /^(?:true|yes|on|1)$/i.test(values.get('bare') ?? 'false')
  return { bare, worktree: values.get('worktree') ?? null }
}

function* coreLines(text: string): Generator<[key: string, value: string]> {
  let isCore = false
  for (const line of text.split('\n')) {
    const section = /^\s*\[\s*([^\]]*?)\s*\]/.exec(line)
    if (section !== null) isCore = section[1]?.toLowerCase() === 'core'
    const [, key, value] = /^\s*([A-Za-z][\w-]*)\s*(?:=\s*(.*))?$/.exec(line) ?? []
    // A name without a value means "true".
    if (isCore && key !== undefined) yield [key.toLowerCase(), plain(value ?? 'true')]
  }
}

/** A value without its quotes, its comment and the spaces around it. */
function plain(value: string): string {
  const found = /^"((?:[^"\\]|\\.)*)"/.exec(value)?.[1] ?? value.replace(/\s*[#;].*$/, '').trimEnd()
  return found.replaceAll(/\\(["\\])/g, '$1')
}
