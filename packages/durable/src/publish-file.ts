import {
  closeSync,
  constants,
  linkSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
  type Stats,
} from 'node:fs'
import { dirname } from 'node:path'
import { keepAttributes, keepExtendedAttributes } from './keep-attributes.ts'
import { syncDirectory } from './sync.ts'
import { temporaryName } from './temporary-name.ts'
import { writeNewFile } from './write-new-file.ts'

const setIdBits = 0o6000

/** How a file is published. */
export interface Publishing {
  /** If the file exists, replace it and keep its owner and mode (`true`, the default), or fail with `EEXIST` (`false`). */
  readonly replace?: boolean | undefined
  /** Also keep extended attributes, which starts a program; `false` by default. See {@link keepExtendedAttributes}. */
  readonly keepExtended?: boolean | undefined
  /** The mode of a new file, whatever the umask. Without this option the mode is 0666 less the umask. */
  readonly mode?: number | undefined
  /** Sync the file and its directory, so that the content survives a power failure. It costs milliseconds; `true` by default. */
  readonly durable?: boolean | undefined
  /** The path of the temporary file, in the same directory; by default a name that nobody else uses. */
  readonly temporary?: string | undefined
  /** Called when the content is written, before the file appears. If it throws or rejects, the file does not appear. */
  readonly check?: (() => void | Promise<void>) | undefined
}

/**
 * Makes or replaces a file. Everybody sees the whole old or the whole new content, even if this process is killed.
 *
 * The content is written to a temporary file and synced, that file is renamed or linked to the path, and the directory is
 * synced. A symbolic link is refused with `ELOOP`, because the link would be replaced and not its target. A directory is
 * refused with `EISDIR`, and any other special file with `ENXIO`. Rejects with the system's error, such as `EBUSY` for a
 * mount point; nothing has changed then, unless the error came from syncing the directory: then the new content is there.
 */
export async function publishFile(
  path: string,
  content: string | Uint8Array,
  options: Publishing = {},
): Promise<void> {
  const { replace = true, mode, durable = true, temporary = temporaryName(path), check } = options
  const old = replace ? replaceable(path) : undefined
  const prepare = async (fd: number) => {
    if (old === undefined) return
    if (options.keepExtended) await keepExtended(fd, path)
    keepAttributes(fd, old)
  }
  const complete = (fd: number) => {
    if (old !== undefined && (old.mode & setIdBits) !== 0) keepAttributes(fd, old)
  }
  await writeNewFile(temporary, content, { mode, durable, prepare, complete })
  let isRenamed = false
  try {
    await check?.()
    if (replace) renameSync(temporary, path)
    else linkSync(temporary, path)
    isRenamed = replace
  } finally {
    if (!isRenamed) rmSync(temporary, { force: true })
  }
  if (durable) await syncDirectory(dirname(path))
}

/** Copies extended attributes to the new file; attributes of a file that this user cannot read are lost. */
async function keepExtended(fd: number, path: string): Promise<void> {
  let old: number
  try {
    old = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch {
    return
  }
  try {
    await keepExtendedAttributes(fd, old)
  } finally {
    closeSync(old)
  }
}

/** The status of the file at the path, if it can be replaced; `undefined` if there is none. Throws for anything else. */
function replaceable(path: string): Stats | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats === undefined || stats.isFile()) return stats
  const [code, what] = stats.isSymbolicLink()
    ? ['ELOOP', 'a symbolic link']
    : stats.isDirectory()
      ? ['EISDIR', 'a directory']
      : ['ENXIO', 'no regular file']
  throw Object.assign(new Error(`${code}: ${path} is ${what}`), { code, path, syscall: 'rename' })
}
