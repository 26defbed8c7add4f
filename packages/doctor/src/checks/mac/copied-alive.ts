import { execFile } from 'node:child_process'
import { realpath } from 'node:fs/promises'
import { promisify } from 'node:util'
import { type DataDirectory, quote } from '@howdah/data-directory'
import type { Check, Complaint } from '../../check.ts'
import { ofEach } from '../../of-each.ts'

/**
 * Clusters that a Mac copies file by file while their servers write, so that the copies are damaged: what lies in iCloud Drive or in
 * another synced folder, and what Time Machine backs up.
 */
export const copiedAlive: Check = {
  name: 'copied-alive',
  async examine(scene) {
    if (process.platform !== 'darwin') return []
    const isBackedUp = await hasBackups()
    return await ofEach(scene, async ({ path }: DataDirectory) => [
      ...(await synced(path)),
      ...(isBackedUp ? await backedUp(path) : []),
    ])
  },
}

/** iCloud Drive lies in `Library/Mobile Documents` of a home, and others lie in `Library/CloudStorage`. */
async function synced(path: string): Promise<Complaint[]> {
  const folder = /^.*\/Library\/(?:Mobile Documents|CloudStorage)\//.exec(await realpath(path))?.[0]
  if (folder === undefined) return []
  return [
    {
      severity: 'warning',
      subject: { path },
      what: `${path} lies in ${folder}, which is synced file by file, also while a server writes: that damages the cluster here or its copies`,
      cure: 'stop the cluster, move it to a directory that is not synced, and name that one with -D',
    },
  ]
}

async function backedUp(path: string): Promise<Complaint[]> {
  // It prints [Included] or [Excluded] and the path, tmutil(8).
  if (!(await tmutil('isexcluded', path)).startsWith('[Included]')) return []
  return [
    {
      severity: 'notice',
      subject: { path },
      what: `Time Machine backs ${path} up file by file, and a copy that was made while the server wrote may not start`,
      cure: `make backups with howdah backup, and leave the cluster out of Time Machine's: tmutil addexclusion ${quote(path)}`,
    },
  ]
}

async function hasBackups(): Promise<boolean> {
  return /^Name\s*:/m.test(await tmutil('destinationinfo'))
}

/** What it prints; nothing if it may not be run. */
async function tmutil(...args: string[]): Promise<string> {
  return await promisify(execFile)('/usr/bin/tmutil', args).then(
    ({ stdout }) => stdout,
    () => '',
  )
}
