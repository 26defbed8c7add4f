import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { type JoinOptions, ownership, pin, type Shared } from '@howdah/coordinate'
import type { Coordination } from '../coordination.ts'
import { takeApart } from '../connecting/as-url.ts'
import { givePassword, isStored } from '../connecting/tcp-login.ts'
import { type DataDirectory, findPostmaster, readMark } from '@howdah/data-directory'
import { clusterMissing, notRunning, noTcp, noTls } from '../errors.ts'
import { hasDatabase } from '../without-driver/has-database.ts'
import type { Outcome } from '@howdah/coordinate'
import { postgres } from '../server.ts'
import { addressOf } from '../connecting/address-of.ts'
import { hasOurCertificate, trusting } from '../tls/trusting.ts'
import type { PatienceOptions } from './reload.ts'
import { restartAlone, takeAlone } from './restart.ts'
import type { RunOptions } from './run-options.ts'
import { Session } from '../session.ts'
import { type LaunchOptions, wantsTcp } from '../subject.ts'
import { superuserAs, superuserOf } from './superuser.ts'
import { enter, refuseBackup, type UseEntry } from '@howdah/known-clusters'
import { waiting } from '../waiting-options.ts'
import { whenReady } from './when-ready.ts'

/**
 * Starts the server pinned: it stays, with users or without.
 *
 * This process becomes a user only if TCP, a database or a mode has to be set up, and only until that is done.
 */
export async function startCluster(
  coordination: Coordination,
  given: RunOptions,
): Promise<Outcome> {
  const options = takeApart(coordination.directory.path, given)
  const wantsLogin = options.user !== undefined || options.password !== undefined
  const wantsDatabase = (options.database ?? postgres) !== postgres
  if (wantsTcp(options) || wantsDatabase || wantsLogin || options.mode !== undefined) {
    await using session = await joinCluster(coordination, { ...options, pinned: true })
    return session.started
  }
  await prepare(coordination, options)
  return await coordination.free.start(joinOptions(options))
}

/** The parts of the context that joining needs. */
export type Joinable = Pick<Coordination, 'directory' | 'free' | 'runtime' | 'state' | 'subject'>

/** A further change to the joined server, which may need a restart. */
export type Adjustment = (
  shared: Shared<LaunchOptions>,
  options: JoinOptions<LaunchOptions>,
) => Promise<Shared<LaunchOptions>>

/**
 * Joins, and sets up what was requested: TCP, the database, and the change `adjust`. Leaves again if any of this fails.
 */
export async function joinCluster(
  coordination: Joinable,
  given: RunOptions,
  adjust?: Adjustment,
): Promise<Session> {
  const { directory, runtime, state } = coordination
  const options = takeApart<RunOptions & { parameters?: string }>(directory.path, given)
  const { admits, database = postgres, atEnd = 'stop' } = options
  const joining = joinOptions(options)
  await prepare(coordination, options)
  const joined = await joinReady(coordination, options)
  const { entering } = joined
  let { shared } = joined
  try {
    if (wantsTcp(options)) shared = await withTcp(coordination, shared, joining)
    else await withPassword(coordination, shared, options)
    if (adjust !== undefined) shared = await adjust(shared, joining)
    const postmaster = await findPostmaster(directory)
    if (postmaster === null) throw notRunning(directory.path)
    const superuser = await superuserAs(directory, await runtime(), postmaster.file, options.user)
    const reached = await addressOf(directory, postmaster.file, superuser, wantsTcp(options))
    const found = options.tls === true ? await trusting(directory, reached) : reached
    const { parameters } = options
    // The socket of a cluster that somebody else has created may want it, too.
    const wantsPassword = wantsTcp(options) || (await readMark(directory))?.created !== true
    const address = {
      ...found,
      password: (wantsPassword ? options.password : undefined) ?? found.password,
      parameters,
    }
    const server = { dataDir: directory.path, runtime: await runtime(), address, database }
    const session = new Session(server, {
      shared,
      joining,
      atEnd,
      entry: admits === undefined ? await entering : entering,
      warn: state.warn,
    })
    if (options.mode !== undefined) await session.setMode(options.mode, patience(options))
    if (database !== postgres) await session.ensureDatabase(database)
    if (options.pinned === true) await pin(shared.paths, shared.subject)
    return session
  } catch (error) {
    await (await entering)?.end()
    await shared.leave().catch(() => undefined)
    throw error
  }
}

/** After how many ms a caller in a hurry is listed. */
const courtesy = 50

/** How many times to join again if the server ends while we wait for it. */
const attempts = 3

/** A user of the cluster, who is being listed. */
interface Joined {
  readonly shared: Shared<LaunchOptions>
  readonly entering: Promise<UseEntry | null>
}

/**
 * Joins, and waits until the server accepts connections, because a running server may be recovering from the crash of one of
 * its processes. Meanwhile the user is listed.
 */
async function joinReady(
  { directory, free, state }: Joinable,
  options: RunOptions,
): Promise<Joined> {
  const { timeout, signal, onWait, admits, database = postgres } = options
  const ask = async () => ((await admits?.()) === true ? undefined : await knock(directory))
  for (let attempt = 1; ; attempt += 1) {
    const shared = await free.join(joinOptions(options))
    const isNew = shared.started === 'modified'
    const ready = isNew ? Promise.resolve() : whenReady(directory, ask, { timeout, signal, onWait })
    // First the server gets its question.
    const entering = (admits === undefined ? setImmediate() : sleep(courtesy)).then(
      async () => await enter(state, directory, { database, tcp: wantsTcp(options) }),
    )
    try {
      await ready
      return { shared, entering }
    } catch (error) {
      await (await entering)?.end()
      await shared.leave().catch(() => undefined)
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'ERR_CLUSTER_NOT_RUNNING' || attempt === attempts) throw error
    }
  }
}

/** Checks whether the server accepts connections, by its socket if it has one. */
async function knock(directory: DataDirectory): Promise<void> {
  const postmaster = await findPostmaster(directory)
  if (postmaster === null) throw notRunning(directory.path)
  if (postmaster.file.socketDirectory === null) return
  const superuser = await superuserOf(directory)
  const address = await addressOf(directory, postmaster.file, superuser, false)
  const answer = await hasDatabase(address, postgres)
  if (answer === null && (await findPostmaster(directory)) === null)
    throw notRunning(directory.path)
}

/** The steps before the locks are taken. */
async function prepare(
  { directory, free, runtime, subject }: Joinable,
  options: RunOptions,
): Promise<void> {
  if (options.ifExists === true && !(await free.exists())) throw clusterMissing(directory.path)
  await refuseBackup(directory)
  // The search for the runtime starts now, and runs while we wait for locks. A failure is reported where the runtime is used.
  runtime().catch(() => undefined)
  if (options.tls === true) {
    const { requireTls } = await import('../tls/require-tls.ts')
    await requireTls(directory, await runtime(), subject.user, options.signal)
  }
}

function patience({ waitTimeout, signal }: RunOptions): PatienceOptions {
  return { timeout: waitTimeout, signal }
}

function joinOptions(options: RunOptions): JoinOptions<LaunchOptions> {
  const { throwAway, linger, perishes } = options
  return { start: options, throwAway, linger, perishes, ...waiting(options) }
}

/** Sets the requested password for the superuser of our server, although the socket needs none. */
async function withPassword(
  { directory, subject, runtime, state }: Joinable,
  { paths }: Shared<LaunchOptions>,
  { password, timeout, signal }: RunOptions,
): Promise<void> {
  if (password === undefined || isStored({ directory, password })) return
  const isOurs = (await ownership(paths, subject)) !== 'foreign'
  if (!isOurs) return
  const login = { directory, runtime: await runtime(), user: subject.user, notice: state.notice }
  await givePassword({ ...login, isOurs, isLocked: false, password, timeout, signal })
}

/** Restarts our server with TCP if it has no TCP or another port, and if nobody else uses it. */
async function withTcp(
  { directory, subject, runtime }: Joinable,
  shared: Shared<LaunchOptions>,
  options: JoinOptions<LaunchOptions>,
): Promise<Shared<LaunchOptions>> {
  const postmaster = await findPostmaster(directory)
  if (postmaster === null || shared.started === 'modified') return shared
  const isOurs = (await ownership(shared.paths, shared.subject)) !== 'foreign'
  const { tcp, tls = false } = options.start
  const isThere =
    postmaster.file.listenAddress !== null &&
    (typeof tcp !== 'number' || tcp === postmaster.file.port) &&
    (!tls || (await hasOurCertificate(directory)))
  if (isThere) {
    const login = { runtime: await runtime(), isLocked: false, isOurs }
    await subject.ensureTcpLogin(options.start, login)
    return shared
  }
  if (!isOurs) {
    if (tls) throw noTls(directory.path, 'howdah did not start it; stop it, or leave TLS out')
    const where = typeof tcp === 'number' ? ` at port ${tcp}` : ''
    const why = `${where}, and howdah did not start it; let it listen there, or stop it`
    throw noTcp(directory.path, why)
  }
  const alone = await takeAlone(
    directory,
    shared,
    options,
    tls ? 'restart with TLS the server on' : 'restart with TCP the server on',
  )
  return await restartAlone(alone, options)
}
