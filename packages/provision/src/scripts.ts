import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import type { ScriptSource } from '@howdah/project'
import { type Asked, baseOf } from './asked.ts'
import { ProvisionError } from './errors.ts'

/** A script for a cluster. */
export type Script =
  | { readonly kind: 'file'; readonly path: string; readonly content: Buffer }
  | { readonly kind: 'command'; readonly command: string }

/** Scripts that run one after the other. */
export interface Scripts {
  /** The key in the settings: `init` or `seed`. */
  readonly key: string
  readonly all: readonly Script[]
  /** Tells whether one of them, or a file that a command names, has changed. */
  readonly hash: string
  /** Whether nothing but the content of the scripts decides what they do. */
  readonly isPlain: boolean
}

const suffixes = ['.sql', '.sql.gz', '.sql.zst', '.sh'] as const

/**
 * Reads scripts, in the order in which they are written, and in a directory or for a glob in the order of their names. Throws
 * `ERR_PROVISION_SCRIPT` if a path or a glob leads to none.
 */
export async function readScripts(
  asked: Asked,
  key: string,
  sources: ScriptSource | readonly ScriptSource[],
): Promise<Scripts> {
  const base = baseOf(asked)
  const hash = createHash('sha256')
  const add = (name: string, content: Buffer | string) =>
    hash.update(`${name}\0${Buffer.byteLength(content)}\0`).update(content)
  const all: Script[] = []
  const listed: readonly ScriptSource[] = Array.isArray(sources) ? sources : [sources]
  for (const source of listed) {
    if (typeof source === 'string') {
      for (const path of await scriptsLike(asked, key, source)) {
        const content = readFileSync(path)
        all.push({ kind: 'file', path, content })
        add(relative(base, path), content)
      }
    } else {
      all.push({ kind: 'command', command: source.command })
      add('', source.command)
      for (const pattern of source.files ?? [])
        for (const path of await filesLike(base, pattern))
          add(relative(base, path), readFileSync(path))
    }
  }
  const isPlain = all.every((one) => one.kind === 'file' && !one.path.endsWith('.sh'))
  return { key, all, hash: hash.digest('hex'), isPlain }
}

async function scriptsLike(asked: Asked, key: string, pattern: string): Promise<string[]> {
  const base = baseOf(asked)
  const refuse = (why: string) =>
    new ProvisionError('ERR_PROVISION_SCRIPT', { path: asked.path, key }, why)
  const path = resolve(base, pattern)
  const stats = statSync(path, { throwIfNoEntry: false })
  const found =
    stats?.isDirectory() === true
      ? (await readdir(path)).filter(isScript).map((name) => join(path, name))
      : await filesLike(base, pattern)
  if (found.length === 0)
    throw refuse(`no script is called like ${path}; correct it, or take it out`)
  const other = found.find((one) => !isScript(one))
  if (other === undefined) return found.toSorted()
  throw refuse(`${other} does not end in ${suffixes.join(', ')}; rename it, or write a "command"`)
}

/** The files that a path or a glob leads to, in the order of their names. */
async function filesLike(base: string, pattern: string): Promise<string[]> {
  const path = resolve(base, pattern)
  if (statSync(path, { throwIfNoEntry: false })?.isFile() === true) return [path]
  const { glob } = await import('tinyglobby')
  const found = await glob(pattern, { cwd: base, absolute: true, dot: true })
  return found.toSorted()
}

function isScript(name: string): boolean {
  return suffixes.some((suffix) => name.endsWith(suffix))
}
