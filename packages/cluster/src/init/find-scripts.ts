import { statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { ClusterError } from '@howdah/data-directory'

const suffixes = ['.sql', '.sql.gz', '.sh'] as const

/**
 * The absolute paths of the scripts that paths and globs name, in the order of the patterns and then of the names. In a
 * directory, the files with the suffix of a script count, as in Docker's image.
 */
export async function findScripts(dataDir: string, patterns: readonly string[]): Promise<string[]> {
  const refuse = (why: string) => new ClusterError('ERR_CLUSTER_INIT_FAILED', dataDir, why)
  const found = new Set<string>()
  for (const pattern of patterns) {
    const path = resolve(pattern)
    const isDirectory = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
    const files = isDirectory
      ? (await readdir(path)).filter(isScript).map((name) => join(path, name))
      : await matching(pattern)
    if (files.length === 0) {
      throw refuse(`no init script is called like ${path}; correct the pattern, or leave it out`)
    }
    const other = files.find((file) => !isScript(file))
    if (other !== undefined) {
      throw refuse(
        `${other} is not an init script, which ends in ${suffixes.join(', ')}; rename it, or leave it out`,
      )
    }
    for (const file of files.toSorted()) found.add(file)
  }
  return [...found]
}

function isScript(name: string): boolean {
  return suffixes.some((suffix) => name.endsWith(suffix))
}

async function matching(pattern: string): Promise<string[]> {
  const { glob } = await import('tinyglobby')
  return await glob(pattern, { absolute: true, expandDirectories: false, dot: true })
}
