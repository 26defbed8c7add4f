import type pg from 'pg'

/** The server on which databases of tests are made. */
export interface TestServer {
  /** Whether howdah has started it for tests: then nothing in it outlives a crash of the machine, and we are superuser. */
  readonly isOwn: boolean
  /** Whether databases of others are on it, too. */
  readonly isShared: boolean
  /** Where administrative connections go, the first that admits us. */
  readonly administrative: readonly string[]
  /** What node-postgres is to be given. */
  clientOptions(database: string): pg.ClientConfig
  url(database: string): string
  /** The variables that lead clients to a database. */
  env(database: string): Record<string, string>
  /** PATH with the server's programs, if they are known. */
  path(base: NodeJS.ProcessEnv): string | undefined
  /** The command that opens a shell on a database. */
  shell(database: string): string
  /** Keeps the server running after its last user, for a database that is kept. */
  stay(): Promise<void>
  leave(): Promise<void>
}
