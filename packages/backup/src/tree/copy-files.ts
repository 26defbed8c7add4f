import { syncDirectory } from '@howdah/durable'
import { Ground, type Owner } from '@howdah/data-directory'
import type { Tree, TreeFile } from './list-tree.ts'

/** How to copy a tree. */
export interface CopyOptions {
  /** The owner of the copy. */
  readonly owner?: Owner | null | undefined
  /** If we are root: only files of this uid are copied, and other files are refused; see `sourceOwner`. */
  readonly of: number | null
  /** Sync each file and directory, so that the copy survives a power failure. */
  readonly durable: boolean
  /** The file that is copied after all others. */
  readonly last?: string | undefined
  readonly signal?: AbortSignal | undefined
  /** Called with the numbers of copied bytes. */
  readonly onBytes?: ((bytes: number) => void) | undefined
}

/** How many files are copied at once: the number of libuv's threads. */
const concurrency = 4

/** Makes the directories, and copies the files by several copiers in parallel, which `makeCopier` makes. */
export async function copyFiles(
  to: string,
  tree: Tree,
  options: CopyOptions,
  makeCopier: (ground: Ground) => (file: TreeFile) => Promise<void>,
): Promise<void> {
  using ground = Ground.at(to, options.owner ?? null)
  try {
    for (const directory of tree.directories) ground.makeDirectory(directory)
    await fill(ground, tree, options, makeCopier)
  } finally {
    ground.handOver()
  }
}

async function fill(
  ground: Ground,
  tree: Tree,
  options: CopyOptions,
  makeCopier: (ground: Ground) => (file: TreeFile) => Promise<void>,
): Promise<void> {
  const copyAll = async (files: readonly TreeFile[]) => {
    const remaining = [...files].toReversed()
    const worker = async () => {
      const copy = makeCopier(ground)
      try {
        for (let file = remaining.pop(); file !== undefined; file = remaining.pop()) {
          await copy(file)
        }
      } catch (error) {
        // This stops the other workers.
        remaining.length = 0
        throw error
      }
    }
    const settled = await Promise.allSettled(Array.from({ length: concurrency }, worker))
    const failed = settled.find((result) => result.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }
  await copyAll(tree.files.filter(({ path }) => path !== options.last))
  await copyAll(tree.files.filter(({ path }) => path === options.last))
  if (options.durable) {
    for (const directory of [...tree.directories, '.']) await syncDirectory(ground.file(directory))
  }
}
