import type { Session } from '@howdah/cluster'
import { Client, escapeIdentifier } from 'pg'
import { TestingError } from '../errors.ts'
import { dropByForce } from '../server/database-statements.ts'
import { psql } from './psql.ts'

/** A role and its database. */
export interface Login {
  readonly username: string
  readonly password: string
  readonly database: string
}

/** The output of a command. */
export interface ExecResult {
  readonly output: string
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number
}

/** A running server, with the methods of `@testcontainers/postgresql`. */
export class StartedPostgreSqlContainer implements AsyncDisposable {
  readonly #session: Session
  readonly #login: Login
  readonly #snapshotName: string

  /** @internal Made by `PostgreSqlContainer.start`. */
  constructor(session: Session, login: Login, snapshotName: string) {
    this.#session = session
    this.#login = login
    this.#snapshotName = snapshotName
  }

  /** The host at which the server listens. */
  getHost(): string {
    return this.#session.address.host
  }

  /** The port at which it listens. */
  getPort(): number {
    return this.#session.address.port
  }

  /** The same port, whichever is asked for. */
  getMappedPort(_port: number | string): number {
    return this.getPort()
  }

  /** The same port. */
  getFirstMappedPort(): number {
    return this.getPort()
  }

  /** The database that was made. */
  getDatabase(): string {
    return this.#login.database
  }

  /** The superuser. */
  getUsername(): string {
    return this.#login.username
  }

  /** The password of the superuser. */
  getPassword(): string {
    return this.#login.password
  }

  /** The data directory, in place of the identifier of a container. */
  getId(): string {
    return this.#session.dataDir
  }

  /** The data directory, in place of the name of a container. */
  getName(): string {
    return this.#session.dataDir
  }

  /** The URL of the database, with user and password. */
  getConnectionUri(): string {
    const url = new URL(`postgres://${this.getHost()}`)
    url.port = String(this.getPort())
    url.username = encodeURIComponent(this.getUsername())
    url.password = encodeURIComponent(this.getPassword())
    url.pathname = encodeURIComponent(this.getDatabase())
    return url.href
  }

  /** Copies the database as a snapshot. Nobody may be connected to it. */
  async snapshot(name: string = this.#snapshotName): Promise<void> {
    const { database } = this.#login
    this.#refuseSnapshot(name)
    await this.#administer(async (client, version) => {
      await dropByForce(client, name, version)
      await client.query(
        `CREATE DATABASE ${escapeIdentifier(name)} TEMPLATE ${escapeIdentifier(database)}`,
      )
    })
  }

  /** Restores the database from a snapshot. Connections to it are ended. */
  async restoreSnapshot(name: string = this.#snapshotName): Promise<void> {
    const { database } = this.#login
    this.#refuseSnapshot(name)
    await this.#administer(async (client, version) => {
      await dropByForce(client, database, version)
      await client.query(
        `CREATE DATABASE ${escapeIdentifier(database)} TEMPLATE ${escapeIdentifier(name)}`,
      )
    })
  }

  /**
   * Runs a command on this machine, with the server's programs on PATH and the environment of the database. If there is no
   * `psql`, the usual `psql -c` and `psql -f` work without it.
   */
  async exec(command: string | readonly string[]): Promise<ExecResult> {
    const [program = '', ...args] = typeof command === 'string' ? ['sh', '-c', command] : command
    const result = await this.#session.exec(program, args, {
      all: true,
      reject: false,
    })
    if (program === 'psql' && result.code === 'ENOENT') {
      const printed = await psql(this.#session.clientOptions(), args)
      const output = [printed.stdout, printed.stderr].filter((text) => text !== '').join('\n')
      return { output, ...printed }
    }
    return {
      output: result.all,
      stdout: result.stdout,
      stderr: result.stderr,
      exitCode: result.exitCode ?? 126,
    }
  }

  /** Restarts the server. Connections are lost, and the port stays the same. */
  async restart(): Promise<void> {
    await this.#session.restart()
  }

  /** Leaves the server, which stops after its last user. */
  async stop(_options?: unknown): Promise<this> {
    await this.#session.leave()
    return this
  }

  /** Stops, as {@link stop} does. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #administer(action: (client: Client, version: number) => Promise<void>): Promise<void> {
    const client = new Client(this.#session.clientOptions('postgres'))
    await client.connect()
    try {
      const { rows } = await client.query<{ version: number }>(
        `SELECT current_setting('server_version_num')::int AS version`,
      )
      await action(client, rows[0]?.version ?? 0)
    } finally {
      await client.end()
    }
  }

  #refuseSnapshot(name: string): void {
    const { database } = this.#login
    if (database === 'postgres' || name === database) {
      throw new TestingError(
        'ERR_TESTING_OPTION',
        database === 'postgres'
          ? 'the database postgres cannot be restored, since it is where that is done from; name another by withDatabase'
          : `a snapshot of ${database} cannot have its name; give it another`,
      )
    }
  }
}
