import { shellWord } from '@howdah/data-directory'
import { errno } from '@howdah/durable'

/** The codes of this package's errors. They are permanent: match on them, not on messages. */
export type UpgradeErrorCode =
  | 'ERR_UPGRADE_DIFFERS'
  | 'ERR_UPGRADE_FAILED'
  | 'ERR_UPGRADE_IN_THE_WAY'
  | 'ERR_UPGRADE_LACKING'
  | 'ERR_UPGRADE_NOT_NEWER'
  | 'ERR_UPGRADE_UNSUPPORTED'

/** An error of this package. The cluster is as it was before. */
export class UpgradeError extends Error {
  override readonly name = 'UpgradeError'
  readonly code: UpgradeErrorCode
  readonly dataDir: string
  /** `ERR_UPGRADE_LACKING`: what the newer PostgreSQL does not have, such as `extension adminpack (database app)`. */
  declare readonly lacking?: readonly string[]
  /** `ERR_UPGRADE_DIFFERS`: what is not the same in the new cluster. */
  declare readonly differences?: readonly string[]
  /** `ERR_UPGRADE_IN_THE_WAY`: the directory. */
  declare readonly path?: string

  constructor(
    code: UpgradeErrorCode,
    dataDir: string,
    message: string,
    {
      cause,
      ...fields
    }: ErrorOptions & {
      lacking?: readonly string[]
      differences?: readonly string[]
      path?: string
    } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.dataDir = dataDir
    Object.assign(this, fields)
  }
}

/** An older PostgreSQL was asked for. */
export function notNewer(dataDir: string, existing: number, asked: number): UpgradeError {
  return new UpgradeError(
    'ERR_UPGRADE_NOT_NEWER',
    dataDir,
    `${dataDir} is a cluster of PostgreSQL ${existing}, and PostgreSQL cannot go back to ${asked}; choose a newer one`,
  )
}

/** The newer PostgreSQL lacks what the cluster uses. */
export function lacks(dataDir: string, version: string, lacking: readonly string[]): UpgradeError {
  return new UpgradeError(
    'ERR_UPGRADE_LACKING',
    dataDir,
    `cannot upgrade ${dataDir}: PostgreSQL ${version} does not have ${lacking.join(', ')}; remove what is not needed, ` +
      'or use a PostgreSQL that has it. Nothing was changed',
    { lacking },
  )
}

/** The cluster cannot be upgraded in its present state, or where it lies. */
export function unsupported(dataDir: string, why: string, options?: ErrorOptions): UpgradeError {
  return new UpgradeError(
    'ERR_UPGRADE_UNSUPPORTED',
    dataDir,
    `cannot upgrade ${dataDir}: ${why}`,
    options,
  )
}

/** Something lies where the old cluster is to be kept, or the new one to be made. */
export function inTheWay(dataDir: string, path: string, cure: string): UpgradeError {
  return new UpgradeError(
    'ERR_UPGRADE_IN_THE_WAY',
    dataDir,
    `cannot upgrade ${dataDir}: ${path} is in the way; ${cure}`,
    { path },
  )
}

/** A step has failed. The cluster is as it was. */
export function failed(dataDir: string, step: string, cause: unknown): UpgradeError {
  const words = cause instanceof Error ? cause.message : String(cause)
  return new UpgradeError(
    'ERR_UPGRADE_FAILED',
    dataDir,
    `cannot upgrade ${dataDir}: ${step}: ${words}\nNothing was changed`,
    { cause },
  )
}

/** The new cluster is not like the old one. It was removed. */
export function differs(dataDir: string, differences: readonly string[]): UpgradeError {
  const some = differences.slice(0, 5).join('; ')
  const more = differences.length > 5 ? `; and ${differences.length - 5} more` : ''
  return new UpgradeError(
    'ERR_UPGRADE_DIFFERS',
    dataDir,
    `cannot upgrade ${dataDir}: the new cluster is not like the old one: ${some}${more}. It was removed, and nothing was ` +
      'changed; if somebody wrote into the old one meanwhile, upgrade again',
    { differences },
  )
}

/** Two directories cannot be swapped in one step here. */
export function cannotExchange(dataDir: string, cause: unknown): UpgradeError {
  const isMount = errno(cause) === 'EBUSY'
  const why = isMount
    ? 'it is a mount point, which cannot be swapped with another directory'
    : `its file system cannot swap two directories in one step (${errno(cause)})`
  const copy = shellWord('/another/place')
  return unsupported(
    dataDir,
    `${why}; copy it to another place, and upgrade the copy: howdah clone -D ${shellWord(dataDir)} --to ${copy}, ` +
      `howdah upgrade -D ${copy}`,
    { cause },
  )
}
