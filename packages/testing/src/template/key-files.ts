import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { glob, isDynamicPattern } from 'tinyglobby'
import { TestingError } from '../errors.ts'

/**
 * The files that patterns match, relative to `root`, with `/`, each once, in the order of the patterns and then of the
 * names.
 */
export async function findFiles(patterns: readonly string[], root: string): Promise<string[]> {
  const found = new Set<string>()
  for (const pattern of patterns) {
    const files = await glob(pattern, { cwd: root, expandDirectories: false, dot: true })
    // A directory is probably a mistake, because it would match no files.
    if (files.length === 0) throw noFile(pattern, root)
    for (const file of files.toSorted()) found.add(file)
  }
  return [...found]
}

/** Reads a file as text, without a byte order mark. */
export async function readText(root: string, file: string): Promise<string> {
  return (await readFile(join(root, file), 'utf8')).replace(/^\uFEFF/, '')
}

function noFile(pattern: string, root: string): TestingError {
  const cure = isDynamicPattern(pattern)
    ? 'correct the pattern, or give "root"'
    : `write a path or a glob of files, such as ${pattern}/**; what is no file goes into an object, such as { value: '${pattern}' }`
  return new TestingError(
    'ERR_TESTING_KEY',
    `no file in ${root} is called like ${pattern}; ${cure}`,
  )
}
