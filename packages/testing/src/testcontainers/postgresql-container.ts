import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { run, type Session, temporary, temporaryDataDir } from '@howdah/cluster'
import { runInitScript } from '@howdah/cluster/inside'
import { installRuntime, parseConstraint, type Strategy } from '@howdah/runtime'
import { TestingError } from '../errors.ts'
import { versionOfImage } from './image.ts'
import { type Login, StartedPostgreSqlContainer } from './started-postgresql-container.ts'

/** The directory in which Docker's image looks for scripts for a new cluster. */
const initDirectory = '/docker-entrypoint-initdb.d'

/** How long a reusable server stays after its last user, in ms. */
const reuse = 600_000

/**
 * A PostgreSQL server for a test, with the methods of `@testcontainers/postgresql` but without Docker. Change only the
 * import. The tag of the image chooses the version.
 */
export class PostgreSqlContainer {
  readonly #version: string | undefined
  readonly #settings: Record<string, string> = {}
  readonly #scripts: { readonly name: string; readonly path: string }[] = []
  readonly #contents: { readonly name: string; readonly content: string }[] = []
  readonly #environment: Record<string, string> = {}
  #login: Login = { username: 'test', password: 'test', database: 'test' }
  #isReused = false
  #timeout = 60_000
  #snapshotName = 'migrated_template'
  #strategy: Strategy | undefined

  constructor(image: string) {
    this.#version = versionOfImage(image)
  }

  /** The database, which is made; `test` by default. */
  withDatabase(database: string): this {
    this.#login = { ...this.#login, database }
    return this
  }

  /** The bootstrap superuser. */
  withUsername(username: string): this {
    this.#login = { ...this.#login, username }
    return this
  }

  /** The password of the superuser; `test` by default. */
  withPassword(password: string): this {
    this.#login = { ...this.#login, password }
    return this
  }

  /** The name of a snapshot that is made or restored without one. */
  withSnapshotName(name: string): this {
    this.#snapshotName = name
    return this
  }

  /** Keeps the server for ten minutes, for the next caller with the same options. */
  withReuse(): this {
    this.#isReused = true
    return this
  }

  /** In ms. */
  withStartupTimeout(timeout: number): this {
    this.#timeout = timeout
    return this
  }

  /** `POSTGRES_DB`, `POSTGRES_USER` and `POSTGRES_PASSWORD` count as they do in the image. */
  withEnvironment(environment: Readonly<Record<string, string>>): this {
    Object.assign(this.#environment, environment)
    const { POSTGRES_DB, POSTGRES_USER, POSTGRES_PASSWORD } = environment
    const { username, password, database } = this.#login
    this.#login = {
      username: POSTGRES_USER ?? username,
      password: POSTGRES_PASSWORD ?? password,
      database: POSTGRES_DB ?? database,
    }
    return this
  }

  /** Takes settings: `-c name=value`. */
  withCommand(command: readonly string[]): this {
    for (let at = 0; at < command.length; at += 1) {
      const word = command[at] ?? ''
      if (word === 'postgres') continue
      const assignment = word === '-c' ? command[(at += 1)] : /^(?:-c|--)(.+)$/s.exec(word)?.[1]
      const [, name, value] = /^([^=]+)=(.*)$/s.exec(assignment ?? '') ?? []
      if (name === undefined || value === undefined) throw unsupported(`the argument ${word}`)
      this.#settings[name.replaceAll('-', '_')] = value
    }
    return this
  }

  /** Scripts for `/docker-entrypoint-initdb.d` are run in the new database. */
  withCopyFilesToContainer(
    files: readonly { readonly source: string; readonly target: string }[],
  ): this {
    for (const { source, target } of files) {
      refuseElsewhere(target)
      this.#scripts.push({ name: basename(target), path: source })
    }
    return this
  }

  /** As `withCopyFilesToContainer`, with the text of the scripts. */
  withCopyContentToContainer(
    contents: readonly { readonly content: string; readonly target: string }[],
  ): this {
    for (const { content, target } of contents) {
      refuseElsewhere(target)
      this.#contents.push({ name: basename(target), content })
    }
    return this
  }

  /** Where to look for PostgreSQL; testcontainers has no such method. */
  withStrategy(strategy: Strategy): this {
    this.#strategy = strategy
    return this
  }

  /** No effect: it concerns containers only. */
  withExposedPorts(..._ports: unknown[]): this {
    return this
  }
  /** No effect: it concerns containers only. */
  withName(_name: string): this {
    return this
  }
  /** No effect: it concerns containers only. */
  withLabels(_labels: Readonly<Record<string, string>>): this {
    return this
  }
  /** No effect: it concerns containers only. */
  withTmpFs(_mounts: Readonly<Record<string, string>>): this {
    return this
  }
  /** No effect: it concerns containers only. */
  withWaitStrategy(_strategy: unknown): this {
    return this
  }
  /** No effect: it concerns containers only. */
  withHealthCheck(_check: unknown): this {
    return this
  }
  /** No effect: it concerns containers only. */
  withAutoRemove(_remove: boolean): this {
    return this
  }

  /**
   * Starts the server. If the PostgreSQL of the image is not on this machine, it is fetched from npm, as an image would be
   * pulled.
   */
  async start(): Promise<StartedPostgreSqlContainer> {
    const session = await this.#run().catch(async (error: unknown) => {
      const { code } = error as { code?: unknown }
      const isMissing = code === 'ERR_RUNTIME_NOT_FOUND' && this.#strategy === undefined
      if (!isMissing || this.#version === undefined) throw error
      process.stderr.write(`howdah: fetching PostgreSQL ${this.#version} from npm\n`)
      await installRuntime(this.#version)
      return await this.#run()
    })
    try {
      if (session.started === 'modified') await this.#initialize(session)
      return new StartedPostgreSqlContainer(session, this.#login, this.#snapshotName)
    } catch (error) {
      await session.leave()
      throw error
    }
  }

  async #run(): Promise<Session> {
    const { username: user, password, database } = this.#login
    const options = {
      tcp: true,
      user,
      password,
      database,
      settings: this.#settings,
      timeout: this.#timeout,
      runtime: this.#version === undefined ? undefined : parseConstraint(this.#version),
      strategy: this.#strategy,
    }
    if (!this.#isReused) return await temporary(options)
    const identity = [this.#version, this.#settings, this.#login, this.#scripts, this.#contents]
    const hash = createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 12)
    const dataDir = join(dirname(await temporaryDataDir()), `testcontainers-${hash}`)
    return await run(dataDir, { ...options, throwAway: true, linger: reuse })
  }

  /** Runs the scripts in the order of their names, up to the first that fails. */
  async #initialize(session: Session): Promise<void> {
    if (this.#scripts.length + this.#contents.length === 0) return
    const directory = await mkdtemp(join(tmpdir(), 'howdah-init-'))
    try {
      const written = await Promise.all(
        this.#contents.map(async ({ name, content }, at) => {
          const path = join(directory, String(at))
          await writeFile(path, content)
          return { name, path }
        }),
      )
      const scripts = [...this.#scripts, ...written]
        .filter(({ name }) => /\.(?:sql|sql\.gz|sh)$/.test(name))
        .toSorted((one, other) => (one.name < other.name ? -1 : 1))
      for (const { name, path } of scripts) {
        const content = await readFile(path)
        await runInitScript(session, { name, path, content }, this.#environment)
      }
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  }
}

function refuseElsewhere(target: string): void {
  if (dirname(target) !== initDirectory) throw unsupported(`a file at ${target}`)
}

function unsupported(what: string): TestingError {
  return new TestingError(
    'ERR_TESTING_OPTION',
    `there is no container here that could have ${what}; what is supported are settings as "-c name=value", and scripts in ${initDirectory}`,
  )
}
