import { readdir } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { DirectoriesStrategy, type DirectoriesOptions } from './directories-strategy.ts'
import { homeDirectory } from '../machine/home-directory.ts'
import type { Strategy } from './strategy.ts'

/** Options of `onPlatform`, which only tests give. */
export interface PlatformOptions extends DirectoriesOptions {
  readonly platform?: NodeJS.Platform | undefined
  /** The home directory. */
  readonly home?: string | undefined
  /** The directory that is used instead of `/`. */
  readonly root?: string | undefined
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
}

/**
 * Looks into the directories of this platform's package managers; its fallback is the highest version.
 *
 * It knows Debian and Ubuntu, Red Hat and the PostgreSQL project's packages for it, SUSE, Arch, Alpine, Homebrew, MacPorts,
 * Postgres.app, EnterpriseDB's installers, asdf, mise and Nix profiles. Root always uses its own home directory, not HOME.
 */
export function onPlatform(options: PlatformOptions = {}): Strategy {
  return new DirectoriesStrategy('platform', () => directories(options), 'highest', options)
}

const everywhere = ['usr/local/pgsql/bin', 'usr/local/pgsql-*/bin']

const linux = [
  'usr/lib/postgresql/*/bin', // Debian, Ubuntu, and EnterpriseDB's Docker images
  'usr/lib/postgresql*/bin', // SUSE
  'usr/pgsql-*/bin', // the PostgreSQL project's packages for Red Hat and SUSE
  'usr/bin', // Fedora and Red Hat's own, Arch
  'usr/libexec/postgresql*', // Alpine
  'opt/postgresql*/bin', // Arch's old versions
  'opt/PostgreSQL/*/bin', // EnterpriseDB
  'run/current-system/sw/bin', // NixOS
  'nix/var/nix/profiles/default/bin',
  'home/linuxbrew/.linuxbrew/opt/postgresql*/bin',
]

const mac = [
  'opt/homebrew/opt/postgresql*/bin',
  'usr/local/opt/postgresql*/bin', // Homebrew on Intel
  'opt/local/lib/postgresql*/bin', // MacPorts
  'Applications/Postgres.app/Contents/Versions/*/bin',
  'Library/PostgreSQL/*/bin', // EnterpriseDB
  'nix/var/nix/profiles/default/bin',
  'run/current-system/sw/bin', // nix-darwin
]

/** Used if there is no home directory: nothing is found below it. */
const nowhere = '/nonexistent'

function homeOfRoot(): string | null {
  try {
    return userInfo().homedir
  } catch {
    return null
  }
}

async function directories(options: PlatformOptions): Promise<string[]> {
  const { platform = process.platform, root = '/', env = process.env } = options
  const isRoot = options.home === undefined && process.geteuid?.() === 0
  const home = options.home ?? (isRoot ? homeOfRoot() : homeDirectory()) ?? nowhere
  // Root ignores variables: some sudo configurations let a user set root's variables, and the user must not choose what root
  // runs.
  const variable = (name: string): string | undefined => (isRoot ? undefined : env[name])
  const data = variable('XDG_DATA_HOME') ?? join(home, '.local/share')
  const state = variable('XDG_STATE_HOME') ?? join(home, '.local/state')

  const searches: [string, string][] = [
    ...(platform === 'darwin' ? mac : linux),
    ...everywhere,
  ].map((pattern) => [root, pattern])
  searches.push(
    [variable('ASDF_DATA_DIR') ?? join(home, '.asdf'), 'installs/postgres/*/bin'],
    [variable('MISE_DATA_DIR') ?? join(data, 'mise'), 'installs/postgres/*/bin'],
    [home, '.nix-profile/bin'],
    [state, 'nix/profile/bin'],
    [home, 'Applications/Postgres.app/Contents/Versions/*/bin'],
  )
  const found = await Promise.all(searches.map(([base, pattern]) => expand(base, pattern)))
  return [...new Set(found.flat())]
}

/** The directories that match a pattern with one star. Missing directories are skipped later. */
async function expand(base: string, pattern: string): Promise<string[]> {
  const parts = pattern.split('/')
  const star = parts.findIndex((part) => part.includes('*'))
  if (star === -1) return [join(base, pattern)]
  const parent = join(base, ...parts.slice(0, star))
  const names = await readdir(parent).catch(() => [])
  const [before = '', after = ''] = parts[star]?.split('*') ?? []
  return names
    .filter((name) => name.startsWith(before) && name.endsWith(after) && !name.startsWith('.'))
    .toSorted()
    .map((name) => join(parent, name, ...parts.slice(star + 1)))
}
