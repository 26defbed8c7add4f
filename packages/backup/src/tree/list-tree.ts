import { type Stats, statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** A file in a tree, with its path from the root. */
export interface TreeFile {
  readonly path: string
  /** In bytes, when it was listed. */
  readonly size: number
  /** Its status at that time; missing if it was not looked at. */
  readonly stats?: Pick<Stats, 'mode' | 'uid'>
}

/** The content of a tree. */
export interface Tree {
  /** The directories, each after its parents, without the root. */
  readonly directories: readonly string[]
  readonly files: readonly TreeFile[]
}

/** What to do with an entry of a tree: `empty` makes a directory and leaves its content out. */
export type Treatment = 'copy' | 'empty' | 'skip'

/** Lists a tree. Entries that vanish meanwhile are left out. Links to files count as files; other links are left out. */
export async function listTree(
  root: string,
  treat: (path: string) => Treatment = () => 'copy',
): Promise<Tree> {
  const directories: string[] = []
  const files: TreeFile[] = []
  const visit = async (above: string): Promise<void> => {
    for (const entry of await readdir(join(root, above), { withFileTypes: true }).catch(gone)) {
      const path = join(above, entry.name)
      const treatment = treat(path)
      if (treatment === 'skip') continue
      if (entry.isDirectory() || treatment === 'empty') {
        directories.push(path)
        if (treatment === 'copy') await visit(path)
      } else if (entry.isFile() || entry.isSymbolicLink()) {
        const found = statSync(join(root, path), { throwIfNoEntry: false })
        if (found?.isFile() === true) files.push({ path, size: found.size, stats: found })
      }
    }
  }
  await visit('')
  return { directories, files }
}

function gone(error: NodeJS.ErrnoException): [] {
  if (error.code === 'ENOENT') return []
  throw error
}
