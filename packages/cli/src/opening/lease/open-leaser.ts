import { join } from 'node:path'
import { createFileLeaser, type Leaser, type LeaserOptions } from '@howdah/lease'
import { makeDirectories } from '@howdah/lock'
import { fullPath } from '@howdah/terminal'
import type { Context } from '../../program/command.ts'
import { mainDataDirectory, prepareProject } from '../default-data-directory.ts'
import { misused } from '../../errors.ts'
import { etcdPlace } from './etcd-place.ts'

/** A lease, and a function that closes the connections to its store. */
export interface OpenLeaser {
  readonly leaser: Leaser
  close(): Promise<void>
}

/**
 * Opens the lease of that name in the place that `--in` says: a directory, a bucket, an etcd cluster or a PostgreSQL.
 *
 * Without `--in` that is `leases` in the `.howdah` where the data directory would be, made if it is missing. A directory
 * that was named has to be there: it might be a share that is not mounted.
 */
export async function openLeaser(
  context: Context,
  name: string,
  { create } = { create: true },
): Promise<OpenLeaser> {
  const { io, options, output } = context
  const place = options.in
  // The rule for names is the same in all places, and no name can lead out of its place.
  if (!/^[\p{L}\p{N}][\p{L}\p{N}._-]{0,99}$/u.test(name)) {
    throw misused(
      `lease ${name}: a lease's name is 1 to 100 letters, digits, dots, hyphens and underscores, and begins with a letter or digit`,
    )
  }
  const terms: LeaserOptions = {
    ttl: options.ttl,
    owner: options.owner,
    logger: { warn: (message) => output.message(`howdah: ${message}`) },
  }
  const scheme = /^([a-z][a-z\d+.-]*):\/\//i.exec(place ?? '')?.[1]?.toLowerCase()
  switch (scheme) {
    case undefined:
      return unclosed(
        createFileLeaser({
          ...terms,
          dir: place === undefined ? defaultDirectory(context, create) : fullPath(io, place),
          path: `${name}/lock.json`,
        }),
      )
    case 's3': {
      const { host, path } = partsOf(place, 's3://bucket/prefix')
      const { createS3Leaser } = await import('@howdah/lease/s3')
      const endpoint = io.env['AWS_ENDPOINT_URL_S3'] ?? io.env['AWS_ENDPOINT_URL']
      return unclosed(
        await createS3Leaser({
          ...terms,
          bucket: host,
          path: join(path, name),
          endpoint,
        }),
      )
    }
    case 'etcd':
    case 'etcds': {
      const { prefix, ...reached } = etcdPlace(place ?? '', io)
      const { createEtcdLeaser } = await import('@howdah/lease/etcd')
      return unclosed(createEtcdLeaser({ ...terms, ...reached, key: join(prefix, name) }))
    }
    case 'postgres':
    case 'postgresql': {
      const { createPostgresLeaser } = await import('@howdah/lease/postgres')
      const leaser = await createPostgresLeaser({
        ...terms,
        name,
        connectionString: place,
      })
      return { leaser, close: async () => await leaser[Symbol.asyncDispose]() }
    }
    default:
      throw misused(
        `lease --in ${place}: leases are kept in a directory, or at s3://, etcd://, etcds:// or postgres://`,
      )
  }
}

function unclosed(leaser: Leaser): OpenLeaser {
  return { leaser, close: async () => undefined }
}

/** `PGDATA` does not count here. All worktrees of a repository share the leases of its main checkout. */
function defaultDirectory({ io }: Context, create: boolean): string {
  const place = mainDataDirectory(io)
  const { path, project } = place
  const directory = join(project ?? path, 'leases')
  if (!create) return directory
  prepareProject(place)
  makeDirectories(directory)
  return directory
}

/** The hosts and the path of a URL; the path has no slashes around it. */
function partsOf(url: string | undefined, form: string): { host: string; path: string } {
  const match = /^[^:]+:\/\/([^/?#@\s]+)(?:\/([^?#\s]*))?$/.exec(url ?? '')
  if (match === null) throw misused(`lease --in ${url}: write it as ${form}`)
  const [, host = '', path = ''] = match
  return { host, path: path.replaceAll(/^\/+|\/+$/g, '') }
}
