import { createHash } from 'node:crypto'
import { lstat, readdir, readlink, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { identifyProcess } from '@howdah/lock'
import { linkDirectories, quote } from '@howdah/data-directory'
import type { Check, Complaint } from '../check.ts'

/** Short links to sockets of removed clusters with long paths. */
export const staleLinks: Check = {
  name: 'stale-links',
  async examine({ wholeMachine }) {
    if (!wholeMachine) return []
    return (await Promise.all(linkDirectories().map(complaintsIn))).flat()
  },
}

async function complaintsIn(directory: string): Promise<Complaint[]> {
  const found = await lstat(directory).catch(() => null)
  if (found === null) return []
  if (!found.isDirectory() || found.uid !== process.getuid?.()) {
    return [
      {
        severity: 'warning',
        subject: { path: directory },
        what: `${directory}, where howdah would put short links to sockets, is not ours (uid ${found.uid})`,
        cure: 'have it removed, or set TMPDIR to a directory of your own',
      },
    ]
  }
  const links: Complaint[] = []
  for (const name of await readdir(directory)) {
    const path = join(directory, name)
    const target = await staleTarget(path)
    if (target === null) continue
    links.push({
      severity: 'warning',
      subject: { path },
      what: `${path} is a link to the socket of a cluster that is no more, in ${target}`,
      cure: `remove it with: rm ${quote(path)}`,
      mend: async () => {
        if ((await staleTarget(path)) === target) await rm(path, { force: true })
        return null
      },
    })
  }
  return links
}

/** The target of a link of howdah's, if the target is gone; otherwise `null`. */
async function staleTarget(path: string): Promise<string | null> {
  const [, digest, pid] = /\/([0-9a-f]{16})(?:\.(\d+))?$/.exec(path) ?? []
  const target = await readlink(path).catch(() => null)
  if (digest === undefined || target === null) return null
  if (createHash('sha256').update(target).digest('hex').slice(0, 16) !== digest) return null
  // A half-made link of a killed process.
  if (pid !== undefined) return identifyProcess(Number(pid)) === null ? target : null
  const isGone = await stat(target).then(
    () => false,
    ({ code }: NodeJS.ErrnoException) => code === 'ENOENT' || code === 'ENOTDIR',
  )
  return isGone ? target : null
}
