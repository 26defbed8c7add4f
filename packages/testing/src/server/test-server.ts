import type pg from 'pg'

/** A server to connect to. */
export interface ReachableServer {
  /** The databases for administrative connections; the first one that admits us is used. */
  readonly administrative: readonly string[]
  /** The options for node-postgres. */
  clientOptions(database: string): pg.ClientConfig
}

/** The server on which databases of tests are made. */
export interface TestServer extends ReachableServer {
  /** Whether howdah has started it for tests. Then its data need not survive a crash of the machine, and we are superuser. */
  readonly isOwn: boolean
  /** Whether it also has databases of others. */
  readonly isShared: boolean
  /** Whether it is ours, and stays for the next run. */
  readonly lingers: boolean
  url(database: string): string
  /** The variables by which clients find a database. */
  env(database: string): Record<string, string>
  /** PATH with the server's programs, if they are known. */
  path(base: NodeJS.ProcessEnv): string | undefined
  /** The command that opens a shell on a database. */
  shell(database: string): string
  /** Keeps the server running after its last user, for a database that is kept. */
  stay(): Promise<void>
  /** Saves the lasting templates for later servers, in the background. Without effect on a server of others. */
  saveTemplates(): void
  leave(): Promise<void>
}
