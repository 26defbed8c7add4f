import { basename, dirname, join } from 'node:path'

/** The name that means the cluster itself, of which the branches are copies. */
export const mainBranch = 'main'

/** Where a cluster and its branches lie. */
export interface BranchPlace {
  /** The data directory of the cluster itself. */
  readonly main: string
  /** The directory of all branches. Each branch is a data directory in it. */
  readonly branches: string
  /** The name of the branch whose data directory was given; {@link mainBranch} for the cluster itself. */
  readonly current: string
}

/**
 * Where the branches of a cluster lie, by the data directory of the cluster or of any of its branches: those of
 * `.howdah/data` in `.howdah/branches`, others in `.howdah-branches`, in a directory with the name of the data directory.
 *
 * Looks at nothing: the paths decide.
 */
export function branchPlaceOf(dataDir: string): BranchPlace {
  const above = dirname(dataDir)
  const name = branchIn(basename(dataDir))
  const main = name === null ? null : mainOf(above)
  if (main !== null && name !== null) return { main, branches: above, current: name }
  const branches = isDefault(dataDir)
    ? join(above, 'branches')
    : join(above, '.howdah-branches', basename(dataDir))
  return { main: dataDir, branches, current: mainBranch }
}

/** The data directory of a branch. */
export function branchDirectory({ main, branches }: BranchPlace, name: string): string {
  return name === mainBranch ? main : join(branches, fileNameOf(name))
}

/** The name of the branch that has this file name among the branches; `null` if no branch has. */
export function branchIn(fileName: string): string | null {
  try {
    const name = decodeURIComponent(fileName.replaceAll('%', '%25').replaceAll('=', '%'))
    return fileNameOf(name) === fileName && problemOfBranch(name) === null ? name : null
  } catch {
    return null
  }
}

/** How long the file name of a branch may be. File systems take 255 bytes, of which temporary files need some. */
const longest = 200

/** Why this cannot be the name of a branch; `null` if it can. */
export function problemOfBranch(name: string): string | null {
  if (name === '') return 'is empty'
  if (/[\0\p{Cs}]/u.test(name)) return 'contains characters that no file name can have'
  if (name === mainBranch) return 'means the cluster itself'
  return fileNameOf(name).length > longest ? 'is too long' : null
}

/** The file name of a branch: its name, with `=` and hex digits in the place of all but plain characters. */
function fileNameOf(name: string): string {
  return encodeURIComponent(name)
    .replaceAll(/[!'()*~]|^\./g, (character) => `%${hex(character)}`)
    .replaceAll('%', '=')
}

function hex(character: string): string {
  return character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')
}

/** The data directory of the cluster that has its branches in a directory; `null` if that is no such directory. */
function mainOf(branches: string): string | null {
  const above = dirname(branches)
  if (basename(branches) === 'branches' && basename(above) === '.howdah') return join(above, 'data')
  return basename(above) === '.howdah-branches' ? join(dirname(above), basename(branches)) : null
}

function isDefault(dataDir: string): boolean {
  return basename(dataDir) === 'data' && basename(dirname(dataDir)) === '.howdah'
}
