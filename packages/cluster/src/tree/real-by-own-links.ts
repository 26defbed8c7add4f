import { lstatSync, readlinkSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'

/** More links than that go round: `MAXSYMLINKS` of Linux. */
const most = 40

/** Where an absolute path leads if all links on the way are root's; `null` if another user has made one of them. */
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
    if (stats.uid !== 0 || links > most) return null
    const target = readlinkSync(next)
    if (isAbsolute(target)) real = '/'
    rest.unshift(...partsOf(target))
  }
  return real
}

function partsOf(path: string): string[] {
  return path.split('/').filter((part) => part !== '')
}
