import {
  type Creation,
  type Ending,
  Free,
  type Launch,
  type Outcome,
  type Subject,
} from '@howdah/coordinate'
import type { ProcessIdentity } from '@howdah/lock'
import type { Runtime } from '@howdah/runtime'
import {
  checkAccess,
  coordinationPaths,
  type DataDirectory,
  findPostmaster,
  readVersion,
  refuseHardLinks,
  refuseServed,
  requireWhole,
  type ServerUser,
  writeMark,
  writeOwnFile,
} from '@howdah/data-directory'
import type { AsOptions } from './connecting/as-url.ts'
import { createCluster, invokingUser } from './creating/create.ts'
import { destroyCluster } from './creating/destroy.ts'
import {
  forgetting,
  LocalState,
  remember,
  rememberStarted,
  WriteScope,
} from '@howdah/known-clusters'
import { type InitStep, readInitScripts } from './init/init-scripts.ts'
import { runInitStep } from './init/run-init-step.ts'
import type { Initialization } from './creating/initdb.ts'
import { postgres } from './server.ts'
import { startPostmaster, type StartOptions } from './running/start.ts'
import { stopPostmaster } from './running/stop.ts'
import { prepareDirectory } from './creating/prepare.ts'
import { recordSuperuser } from './running/superuser.ts'
import { ensureTcpLogin, type TcpLogin } from './connecting/tcp-login.ts'

/** How joining creates and starts a cluster. */
export interface LaunchOptions extends StartOptions, Pick<AsOptions, 'user' | 'password'> {
  /**
   * Scripts for a cluster that this call creates: paths, directories or globs of `.sql`, `.sql.gz` and `.sh`, relative to the
   * working directory. They run in `database`, in the order of the patterns and of their names. If one fails, no cluster is
   * made. Their result is kept as a template, and made again if one of them changes. Or a step of your own.
   */
  init?: string | readonly string[] | InitStep | undefined
  /** The database to use; `postgres` by default. It is made if it is missing. */
  database?: string | undefined
  /**
   * The locale of a cluster that this call creates. It decides how texts are sorted and compared: `'en_US.UTF-8'` if the
   * operating system has it, `'icu:en-US'` from PostgreSQL 15 on, `'builtin:C.UTF-8'` from 17 on; `'C'` by default.
   */
  locale?: string | undefined
  /**
   * A cluster that this call creates lets every user of this machine log in over TCP as any role without a password, for code
   * with roles without passwords, as with `POSTGRES_HOST_AUTH_METHOD=trust` of Docker's image.
   */
  trust?: boolean | undefined
  /** @internal A kept cluster to begin with; see `keepBase`. */
  base?: string | undefined
  /** Called before steps that take a moment. */
  onProgress?: ((step: 'creating' | 'starting') => void) | undefined
}

/** Whether TCP is requested. TLS needs it. */
export function wantsTcp({ tcp = false, tls = false }: StartOptions): boolean {
  return tcp !== false || tls
}

/** A PostgreSQL cluster as the `Subject` of `@howdah/coordinate`, which holds the locks. */
export class ClusterSubject implements Subject<LaunchOptions> {
  readonly #directory: DataDirectory
  readonly user: ServerUser | null
  /** The runtime to use, once the cluster's version is known. */
  readonly runtime: () => Promise<Runtime>
  readonly #state: LocalState
  readonly #scope: WriteScope
  /** A directory around it that is never made: see `ClusterOptions`. */
  readonly #within: string | undefined
  /** The path to which `destroy` moves the data directory; if it is missing, the directory is removed. */
  moveTo: string | undefined
  /** Whether the directory was just made, so that no server can work in it. */
  #isNew = false

  constructor(
    directory: DataDirectory,
    user: ServerUser | null,
    runtime: () => Promise<Runtime>,
    state: LocalState,
    within?: string,
  ) {
    this.#directory = directory
    this.#within = within
    this.user = user
    this.runtime = runtime
    this.#state = state
    this.#scope = new WriteScope(directory, state)
  }

  async prepare(): Promise<void> {
    await this.#scope.requireOutside()
    this.#isNew ||= !(await this.#directory.has(this.#directory.path))
    await prepareDirectory(this.#directory, this.user, this.#within)
  }

  async create(options: LaunchOptions, creation: Creation): Promise<Outcome> {
    if (await this.exists()) return 'unmodified'
    await refuseServed(this.#directory, this.#isNew)
    await checkAccess(this.#directory, this.user)
    await this.#scope.requireOutside()
    const runtime = await this.runtime()
    options.onProgress?.('creating')
    const { notice: onNotice } = this.#state
    const { user: superuser, locale, trust, base } = options
    const init = await this.#initOf(options, runtime)
    await createCluster(this.#directory, runtime, this.user, {
      superuser,
      locale,
      trust,
      init,
      base,
      ...creation,
      onNotice,
    })
    await remember(this.#state, this.#directory)
    return 'modified'
  }

  /** The step to run in a new cluster. */
  async #initOf(options: LaunchOptions, runtime: Runtime): Promise<Initialization['init']> {
    const { init: patterns, database = postgres, user: superuser = invokingUser() } = options
    if (patterns === undefined) return undefined
    const init =
      typeof patterns === 'object' && 'run' in patterns
        ? patterns
        : await readInitScripts(this.#directory.path, patterns)
    return {
      key: init.key === null ? null : `${init.key} in ${database}`,
      run: async ({ directory }) => {
        await writeMark(directory, this.user, { superuser, created: true })
        const state = new LocalState(() => undefined)
        const runtimeOf = () => Promise.resolve(runtime)
        const subject = new ClusterSubject(directory, this.user, runtimeOf, state)
        const free = new Free(subject, coordinationPaths(directory, this.user))
        await runInitStep(directory, runtime, free, { init, database })
        if (init.record === undefined) return
        await writeOwnFile(directory.file(init.record.name), init.record.text, this.user)
      },
    }
  }

  async start(options: LaunchOptions, launch: Launch): Promise<Outcome> {
    await checkAccess(this.#directory, this.user)
    const [runtime] = await Promise.all([this.runtime(), this.#scope.requireFree()])
    requireWhole(this.#directory)
    refuseHardLinks(this.#directory)
    options.onProgress?.('starting')
    await recordSuperuser(this.#directory, runtime, this.user)
    const starting = options.tls === true ? await this.#withTls(options) : options
    const claiming = this.#scope.claiming(launch)
    await Promise.all([
      startPostmaster(this.#directory, runtime, this.user, claiming, starting),
      rememberStarted(this.#state, this.#directory),
    ])
    await claiming.done()
    if (wantsTcp(options))
      await this.ensureTcpLogin(options, { runtime, isLocked: true, isOurs: true })
    return 'modified'
  }

  async #withTls(options: LaunchOptions): Promise<LaunchOptions> {
    const { provideCertificate } = await import('./tls/provide-certificate.ts')
    const settings = await provideCertificate(this.#directory, this.user)
    const { tcp = false } = options
    return { ...options, settings: { ...options.settings, ...settings }, tcp: tcp || true }
  }

  /** Makes sure that the superuser can log in over TCP. */
  async ensureTcpLogin(
    { timeout, password }: LaunchOptions,
    login: Pick<TcpLogin, 'runtime' | 'isLocked' | 'isOurs'>,
  ): Promise<void> {
    const directory = this.#directory
    const { user } = this
    const { notice } = this.#state
    await ensureTcpLogin({ directory, user, notice, timeout, password, ...login })
  }

  async stop(): Promise<Outcome> {
    const { notice: onNotice } = this.#state
    return (await stopPostmaster(this.#directory, { onNotice })) ? 'modified' : 'unmodified'
  }

  async destroy({ change }: Ending): Promise<Outcome> {
    if (!(await this.exists()) && !(await this.#directory.has(this.#directory.wreck)))
      return 'unmodified'
    // A cluster that will be thrown away need not be written to disk.
    const isThrowAway = await this.#directory.has(this.#directory.throwAway)
    const { notice: onNotice } = this.#state
    await stopPostmaster(this.#directory, isThrowAway ? { shutdown: 'immediate' } : { onNotice })
    await forgetting(
      this.#directory,
      async () => await destroyCluster(this.#directory, change, this, this.moveTo),
    )
    return 'modified'
  }

  /** Whether there is a cluster. */
  async exists(): Promise<boolean> {
    return (await readVersion(this.#directory)) !== null
  }

  async running(): Promise<boolean> {
    const status = (await findPostmaster(this.#directory))?.file.status
    return status === 'ready' || status === 'standby'
  }

  async process(): Promise<ProcessIdentity | null> {
    return (await findPostmaster(this.#directory))?.identity ?? null
  }
}
