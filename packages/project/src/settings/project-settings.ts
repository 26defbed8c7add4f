/**
 * What the first use in a linked worktree does: it forks the main checkout's cluster, makes an empty one, or uses the main
 * checkout's.
 */
export type WorktreeMode = 'fork' | 'empty' | 'shared'

/** A password, or where it is: a variable of the environment, or a file relative to the settings. */
export type SecretSource = string | { readonly env: string } | { readonly file: string }

/** A script for a new cluster: a path or a glob of `.sql`, `.sql.gz` and `.sh`, or a command for the shell. */
export type ScriptSource =
  | string
  | {
      readonly command: string
      /** Paths or globs of what the command reads, so that a change of them is seen. */
      readonly files?: readonly string[]
    }

/** A database in the settings. */
export interface DatabaseSettings {
  readonly owner?: string
  readonly extensions?: readonly string[]
}

/** A role in the settings. */
export interface RoleSettings {
  readonly password?: SecretSource
  /** `true` by default. */
  readonly login?: boolean
  readonly superuser?: boolean
  readonly createdb?: boolean
  readonly createrole?: boolean
  readonly replication?: boolean
  readonly bypassrls?: boolean
  readonly memberOf?: readonly string[]
}

/** TCP in the settings. */
export interface TcpSettings {
  readonly port?: number
  readonly password?: SecretSource
  readonly tls?: boolean
}

/**
 * The settings in a project's `howdah.json`, or under `howdah` in its `package.json`. `howdah.schema.json` describes each key.
 */
export interface ProjectSettings {
  readonly version?: string | number
  readonly user?: string
  readonly locale?: string
  readonly databases?: readonly string[] | Readonly<Record<string, DatabaseSettings>>
  readonly roles?: Readonly<Record<string, RoleSettings>>
  readonly settings?: Readonly<Record<string, string | number | boolean>>
  readonly tcp?: boolean | number | TcpSettings
  readonly extensions?: readonly string[]
  readonly init?: ScriptSource | readonly ScriptSource[]
  readonly seed?: ScriptSource | readonly ScriptSource[]
  /** In seconds. */
  readonly linger?: number
  readonly mode?: 'fast' | 'safe'
  readonly worktrees?: WorktreeMode
}
