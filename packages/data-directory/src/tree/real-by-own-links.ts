import { lstatSync, readlinkSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'

/** More links than this count as a loop: `MAXSYMLINKS` of Linux. */
const most = 40

/** Resolves an absolute path if only root can have put the links in it; `null` if another user may have put one of them. */
export function realByOwnLinks(path: string): string | null {
  let real = '/'
  let links = 0
  const rest = partsOf(path)
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    const next = join(real, name)
    const stats = lstatSync(next, { throwIfNoEntry: false })
    if (stats === undefined) return null
    if (!stats.isSymbolicLink()) {
      real = next
      continue
    }
    links += 1
    if (!isRootsAlone(real) || links > most) return null
    const target = readlinkSync(next)
    if (isAbsolute(target)) real = '/'
    rest.unshift(...partsOf(target))
  }
  return real
}

/**
 * Whether only root can write in a directory. The owner of a link proves little, because the link may have been moved there.
 */
function isRootsAlone(directory: string): boolean {
  const { uid, mode } = lstatSync(directory)
  return uid === 0 && (mode & 0o022) === 0
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '')
}
