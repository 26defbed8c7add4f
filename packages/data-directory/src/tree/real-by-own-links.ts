import { lstatSync, readlinkSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'

/** More links than that go round: `MAXSYMLINKS` of Linux. */
const most = 40

/** Where an absolute path leads if only root can put links on the way; `null` if another user may have put one of them. */
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

/** A link says little by its own owner: it may have been renamed. */
function isRootsAlone(directory: string): boolean {
  const { uid, mode } = lstatSync(directory)
  return uid === 0 && (mode & 0o022) === 0
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '')
}
