import { createHash } from 'node:crypto'
import type { RoleSettings } from '@howdah/project'
import type { Asked } from './asked.ts'
import { readSecret } from './secret.ts'

/** A role that the settings ask for. */
export interface WantedRole extends Omit<RoleSettings, 'password'> {
  readonly name: string
  readonly password: string | null
}

/** A database that the settings ask for. */
export interface WantedDatabase {
  readonly name: string
  readonly owner: string | null
  readonly extensions: readonly string[]
}

/** The roles, databases and extensions that the settings ask for. */
export interface Wanted {
  readonly roles: readonly WantedRole[]
  /** The first is the default of commands. */
  readonly databases: readonly WantedDatabase[]
  /** Tells two of them apart, passwords included. */
  readonly hash: string
}

/** Reads what the settings ask for, with the passwords. Throws `ERR_PROVISION_SECRET`. */
export function readWanted(asked: Asked, env: NodeJS.ProcessEnv): Wanted {
  const { settings } = asked
  const roles = Object.entries(settings.roles ?? {}).map(([name, role]): WantedRole => {
    const { password } = role
    const key = `roles.${name}.password`
    const secret = password === undefined ? null : readSecret(asked, key, password, env)
    return Object.assign({}, role, { name, password: secret })
  })
  const { extensions = [] } = settings
  const databases = databasesOf(asked).map(([name, own]) => {
    const all = extensions.concat(own.extensions ?? [])
    return { name, owner: own.owner ?? null, extensions: [...new Set(all)] }
  })
  if (databases.length === 0 && extensions.length > 0)
    databases.push({ name: 'postgres', owner: null, extensions: [...extensions] })
  const hash = createHash('sha256').update(JSON.stringify({ roles, databases })).digest('hex')
  return { roles, databases, hash }
}

/** The name of the first database in the settings; `undefined` if there is none. */
export function firstDatabase(asked: Asked): string | undefined {
  return databasesOf(asked)[0]?.[0]
}

function databasesOf({ settings: { databases = [] } }: Asked) {
  return Array.isArray(databases)
    ? databases.map((name: string) => [name, {}] as const)
    : Object.entries(databases)
}
