import { type Client, escapeIdentifier } from 'pg'
import type { LoadOptions } from './load-options.ts'
import { roleMadeBy, rolesIn } from './roles-in.ts'

/** Knows the server's roles, and decides about statements with missing roles. */
export class RoleKeeper {
  readonly #options: Pick<LoadOptions, 'roles' | 'onNotice'>
  readonly #known = new Set<string>()
  readonly #missing = new Set<string>()
  skipped = 0

  constructor(options: Pick<LoadOptions, 'roles' | 'onNotice'>) {
    this.#options = options
  }

  async learn(client: Client): Promise<void> {
    const { rows } = await client.query<{ rolname: string }>(
      'SELECT rolname FROM pg_catalog.pg_roles',
    )
    for (const { rolname } of rows) this.#known.add(rolname)
  }

  /** Whether to run a statement. May make roles that the statement needs. */
  async allows(client: Client, statement: string): Promise<boolean> {
    const made = roleMadeBy(statement)
    if (made !== null) {
      if (this.#known.has(made)) {
        this.#say(`the role ${made} is there already, and stays as it is`)
        this.skipped += 1
        return false
      }
      this.#known.add(made)
      return true
    }
    const missing = rolesIn(statement).filter((name) => !this.#known.has(name))
    if (missing.length === 0) return true
    if (this.#options.roles === 'create') {
      for (const name of missing) {
        await client.query(`CREATE ROLE ${escapeIdentifier(name)}`)
        this.#known.add(name)
        this.#say(`made the role ${name}, which cannot log in`)
      }
      return true
    }
    for (const name of missing) {
      if (this.#missing.has(name)) continue
      this.#missing.add(name)
      this.#say(`there is no role ${name}: what the dump gives it is skipped`)
    }
    this.skipped += 1
    return false
  }

  #say(words: string): void {
    this.#options.onNotice?.(words)
  }
}
