import { lstatSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { hostname } from 'node:os'
import { isSystemError, readPlainFile } from '@howdah/durable'
import { currentProcess } from '@howdah/lock'
import { writeWhole, type TreeMode } from './build-tree.ts'
import { embeddedPrograms } from '../strategy/embedded-package.ts'
import { isRecord } from './json.ts'
import { probeVersion } from '../version/probe-version.ts'
import { existingTrustedDirectory } from '../machine/trusted-directory.ts'
import type { Version } from '../version/version.ts'
import { notARuntime, untrusted } from '../errors.ts'

/** The place of a tree: `<cache>/<kind>/<name>`. */
export interface TreePlace {
  readonly cache: string
  readonly kind: 'trees' | 'installed'
  readonly name: string
}

/** The path of a tree. */
export function treePath({ cache, kind, name }: TreePlace): string {
  return join(cache, kind, name)
}

/** The description of a tree, in its `howdah.json`. */
export interface TreeManifest {
  readonly packageVersion: string
  readonly mode: TreeMode
  /** The package's directory, to which the tree's links lead; `null` if the tree does not need it. */
  readonly source: string | null
  /** The sizes of the programs, in bytes. */
  readonly sizes: Readonly<Record<string, number>>
  /** The machine on which the tree was built. */
  readonly machine: string
}

/** The manifest of a tree; `null` if it cannot be read. */
export async function readManifest(tree: string): Promise<TreeManifest | null> {
  try {
    const content: unknown = JSON.parse(readPlainFile(join(tree, 'howdah.json')))
    return isManifest(content) ? content : null
  } catch {
    return null
  }
}

function isManifest(value: unknown): value is TreeManifest {
  return isRecord(value) && typeof value['packageVersion'] === 'string' && isRecord(value['sizes'])
}

/** Finishes a tree: checks that its server runs and has the right version, and adds the manifest. */
export async function completeTree(
  tree: string,
  version: Version,
  manifest: Omit<TreeManifest, 'machine'>,
): Promise<void> {
  const postgres = join(tree, 'bin/postgres')
  const found = await probeVersion(postgres)
  if (found.compare(version) !== 0) {
    const detail = `the package ${manifest.packageVersion} holds PostgreSQL ${found.toString()}`
    throw notARuntime(join(tree, 'bin'), 'wrong-version', detail)
  }
  await writeWhole(
    join(tree, 'howdah.json'),
    JSON.stringify({ ...manifest, machine: machineName() }),
  )
}

/** Names the machine and the namespace of process ids, because we see only the processes there. */
export function machineName(): string {
  const { machineId = null, pidNamespace } = currentProcess()
  // A Mac's host name changes with the network. On Linux, copies of a machine have the same id, so the host name counts too.
  const names = process.platform === 'darwin' && machineId !== null ? [] : [hostname()]
  return [machineId, ...names, pidNamespace].map((part) => part ?? '').join(' ')
}

/**
 * Whether a tree exists and is whole.
 *
 * It makes only a few system calls, so it does not look at every file. Throws `ERR_RUNTIME_UNTRUSTED_DIRECTORY` if others
 * could have made the tree.
 */
export async function isIntact(
  place: TreePlace,
  sizes: Readonly<Record<string, number>>,
): Promise<boolean> {
  const tree = await existingTrustedDirectory(place.cache, place.kind, place.name)
  if (tree === null) return false
  const bin = join(tree, 'bin')
  try {
    const directory = lstatSync(bin)
    const programs = embeddedPrograms.map((name) => lstatSync(join(bin, name)))
    // In a linked tree, this file is in the package.
    statSync(join(tree, 'share/postgresql/postgres.bki'))
    const ours = [directory, ...programs].every(
      ({ uid, mode }) => uid === process.geteuid?.() && (mode & 0o022) === 0,
    )
    if (!ours) throw untrusted(bin, 'others own or can write it', `remove ${tree}`)
    return (
      directory.isDirectory() &&
      programs.every(
        (stats, index) =>
          stats.isFile() &&
          (stats.mode & 0o100) !== 0 &&
          stats.size === sizes[embeddedPrograms[index] ?? ''],
      )
    )
  } catch (error) {
    if (isSystemError(error)) return false
    throw error
  }
}
