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

/** How a file is published. */
export interface Publishing {
  /** `false`: a file that is there is an error, `EEXIST`. `true`, the default: it is replaced, by one of the same owner and mode. */
  readonly replace?: boolean | undefined
  /** Keep extended attributes, too, by starting a program; `false` by default. See {@link keepExtendedAttributes}. */
  readonly keepExtended?: boolean | undefined
  /** The mode of a file that was not there, whatever the umask. Without it the mode is 0666 less the umask. */
  readonly mode?: number | undefined
  /** Survive a power failure, too: sync the file and its directory, which costs milliseconds; `true` by default. */
  readonly durable?: boolean | undefined
  /** The path under which it is written first, in the same directory; by default one that nobody else has. */
  readonly temporary?: string | undefined
  /** Called when the content is written, before the file appears. If it throws or rejects, the file does not appear. */
  readonly check?: (() => void | Promise<void>) | undefined
}

/**
 * Makes or replaces a file so that everybody sees the old or the new content, whole, whenever this process is killed.
 *
 * The content is written and synced under another name, which is renamed or linked to the path; then the directory is
 * synced. A symbolic link is refused with `ELOOP`, because it would be replaced and not what it leads to; a directory with
 * `EISDIR`, and any other special file with `ENXIO`. Rejects with the system's error, such as `EBUSY` for a mount point, and
 * then nothing was changed. Only if the directory cannot be synced, the new content is there.
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
  await writeNewFile(temporary, content, { mode, durable, prepare })
  try {
    await check?.()
    if (replace) renameSync(temporary, path)
    else linkSync(temporary, path)
  } finally {
    rmSync(temporary, { force: true })
  }
  if (durable) await syncDirectory(dirname(path))
}

/** Those of a file that this user may not read are not kept. */
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

/** What is there, if it can be replaced; `undefined` if nothing is. */
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
