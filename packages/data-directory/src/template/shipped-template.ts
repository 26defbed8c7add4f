import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import type { Runtime } from '@howdah/runtime'
import { ArchiveDamagedError, packTree, readArchiveIndex } from '../tree/tree-archive.ts'
import { type UnpackOptions, unpackTree } from '../tree/unpack-tree.ts'
import { isDamage } from './is-damage.ts'

/**
 * The path of the template that a PostgreSQL may bring: a cluster as initdb makes it, without what depends on the machine and
 * on the superuser. It lies with the other files from which initdb makes clusters. The checksum of gzip shows damage.
 */
function pathOf({ bindir }: Runtime): string {
  return join(bindir, '../share/postgresql/howdah.template.gz')
}

/**
 * Unpacks the template that came with a PostgreSQL, for a cluster of these arguments of initdb, into an empty directory.
 * `'missing'`: none came, or one for other arguments. `'damaged'`: parts of it may have been unpacked.
 */
export async function unpackShippedTemplate(
  runtime: Runtime,
  args: readonly string[],
  to: string,
  options: UnpackOptions,
): Promise<'unpacked' | 'missing' | 'damaged'> {
  const packed = await readFile(pathOf(runtime)).catch(() => null)
  if (packed === null) return 'missing'
  try {
    const archive = await unpacked(packed)
    const { index } = await readArchiveIndex(archive)
    const wanted = about(runtime, args, `${process.platform}-${process.arch}`)
    if (JSON.stringify(index.about) !== JSON.stringify(wanted)) return 'missing'
    await unpackTree(archive, to, options)
    return 'unpacked'
  } catch (error) {
    if (!isDamage(error)) throw error
    return 'damaged'
  }
}

/** Packs a stopped cluster of `owner`, which was made with these arguments, as such a template for a platform. */
export async function packShippedTemplate(
  made: string,
  runtime: Runtime,
  args: readonly string[],
  owner: number | undefined,
  platform: string,
): Promise<Buffer> {
  const archive = await packTree(made, about(runtime, args, platform), owner)
  return await promisify(gzip)(archive, { level: 9 })
}

async function unpacked(packed: Buffer): Promise<Buffer> {
  try {
    // One piece, which need not be put together.
    return await promisify(gunzip)(packed, { chunkSize: 16 * 1024 * 1024 })
  } catch (cause) {
    throw new ArchiveDamagedError(String(cause), { cause })
  }
}

function about(
  { version }: Runtime,
  args: readonly string[],
  platform: string,
): Readonly<Record<string, string>> {
  return { version: version.toString(), platform, arguments: JSON.stringify(args) }
}
