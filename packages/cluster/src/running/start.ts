import type { ChildProcess } from 'node:child_process'
import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { isServed, type Launch } from '@howdah/coordinate'
import type { Runtime } from '@howdah/runtime'
import {
  checkStartSetting,
  coordinationPaths,
  type DataDirectory,
  endOrphans,
  explainedByLog,
  leftSegment,
  openLog,
  portTaken,
  reach,
  readLog,
  readPostmasterPid,
  refuseSandbox,
  removeLeftFiles,
  removeSegment,
  saysPortTaken,
  serverEnvironment,
  type ServerUser,
  startFailed,
  writeThrough,
} from '@howdah/data-directory'
import { settingsToFit } from './fit-machine.ts'
import { restoreLabel, saysCopyIsCutOff } from './restore-label.ts'
import { longestStillness, stopPostmaster } from './stop.ts'

/** How to start a server. */
export interface StartOptions {
  /** Settings for this start, as with `-c NAME=VALUE`. */
  settings?: Readonly<Record<string, string>> | undefined
  /** Also listen on localhost, that is, 127.0.0.1 and ::1; `true` finds a free port. */
  tcp?: boolean | number | undefined
  /**
   * Encrypt connections over TCP, and turn TCP on. A certificate for localhost is made for this server; URLs and variables
   * name it, so that clients trust it. Needs the package `node-forge`.
   */
  tls?: boolean | undefined
  /** How long a start may take, with recovery after a crash, in ms; 60,000 by default. */
  timeout?: number | undefined
  /** @internal Called when the server's process runs, and nothing is left to do but to wait. */
  onLaunched?: (() => void) | undefined
}

/**
 * The port of a server that has only a socket. A client that ignores the socket directory and tries this port on this machine
 * must not find another server there. Ordinary programs cannot listen below 1024.
 */
const socketOnlyPort = 1

/**
 * Starts a server on an existing cluster and waits until it accepts connections.
 *
 * It is spawned directly, because `pg_ctl -w` looks only every 100 ms. The caller holds the change and use locks. Throws
 * `ERR_CLUSTER_START_FAILED` with the server's messages; no server is left then.
 */
export async function startPostmaster(
  directory: DataDirectory,
  runtime: Runtime,
  user: ServerUser | null,
  launch: Launch,
  options: StartOptions,
): Promise<void> {
  const { tcp = false, settings = {}, timeout = 60_000 } = options
  for (const [name, value] of Object.entries(settings)) {
    checkStartSetting(directory.path, name, value)
  }
  await endLeftServer(directory)
  const left = await leftSegment(directory)
  await removeLeftFiles(directory)
  await refuseSandbox(directory, directory.path)
  const deadline = performance.now() + timeout
  const durable = writeThrough(directory)
  let fitting: Readonly<Record<string, string>> | null = null
  for (let attempt = 1; ; attempt += 1) {
    using earlier = keepPidFile(directory)
    using log = openLog(directory, user)
    using way = reach(directory.path, user)
    const child = await launch.spawn({
      command: runtime.program('postgres'),
      args: ['-D', way.argument, ...flags({ ...durable, ...fitting, ...settings }, tcp)],
      cwd: way.cwd,
      leavesCwd: way.cwd !== directory.path,
      ...(way.argument === directory.path && { boundTo: directory.path }),
      env: serverEnvironment(runtime.bindir),
      signal: 'SIGINT',
      stillness: longestStillness,
      stdio: ['ignore', log.fd, log.fd, ...way.descriptors],
      uid: user?.uid,
      gid: user?.gid,
    })
    options.onLaunched?.()
    const failure =
      (await untilReady(directory, child, earlier, deadline)) ??
      (tcp === false ? null : await stopIfTaken(directory, log.start))
    if (failure === null) return void (await removeSegment(left))
    const words = await readLog(directory, log.start)
    const more = settingsToFit(words)
    if (fitting === null && more !== null) {
      fitting = more
      continue
    }
    if (performance.now() > deadline || !(await mayPass(directory, words, { attempt, tcp }))) {
      const failed = startFailed(directory.path, failure, words.trim())
      if (typeof tcp === 'number' && saysPortTaken(words)) {
        throw portTaken(directory.path, tcp, failed)
      }
      throw explainedByLog(directory.path, words, failed) ?? failed
    }
  }
}

/** Gives processes left by our killed server, which hold its lock, a moment to end by themselves, and then ends them. */
async function endLeftServer(directory: DataDirectory): Promise<void> {
  const paths = coordinationPaths(directory)
  for (let look = 0; await isServed(paths); look += 1) {
    if (look === 15) return void (await endOrphans(directory))
    await sleep(10)
  }
}

/** The `postmaster.pid` of an earlier server. It is kept open, so that no new file gets its inode. */
interface EarlierPidFile extends Disposable {
  readonly inode: bigint | null
}

function keepPidFile({ pidFile }: DataDirectory): EarlierPidFile {
  let fd: number
  try {
    fd = openSync(pidFile, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch {
    return { inode: null, [Symbol.dispose]: () => undefined }
  }
  const { ino } = fstatSync(fd, { bigint: true })
  return { inode: ino, [Symbol.dispose]: () => closeSync(fd) }
}

/**
 * Waits until `postmaster.pid` says that the spawned process is ready. The file of an earlier server may also say "ready",
 * and in a restarted container it may even name the same pid. So the file must have another inode, because every server makes
 * a new file. Gives `null`, or how the server ended.
 */
async function untilReady(
  directory: DataDirectory,
  child: ChildProcess,
  earlier: EarlierPidFile,
  deadline: number,
): Promise<string | null> {
  while (child.exitCode === null && child.signalCode === null) {
    const file = await readPostmasterPid(directory).catch(() => null)
    const isReady = file?.status === 'ready' || file?.status === 'standby'
    if (isReady && file.pid === child.pid && file.inode !== earlier.inode) return null
    if (performance.now() > deadline) {
      await stopPostmaster(directory, { shutdown: 'immediate' })
      return 'it was not ready in time, and was stopped; give it more time, or look into its log'
    }
    await sleep(2)
  }
  return child.signalCode === null
    ? `it ended with status ${child.exitCode}`
    : `it was killed by ${child.signalCode}`
}

/**
 * Stops a server that could not listen on an address. PostgreSQL goes on without such an address, and clients would find
 * another server there.
 */
async function stopIfTaken(directory: DataDirectory, start: number): Promise<string | null> {
  if (!saysPortTaken(await readLog(directory, start))) return null
  await stopPostmaster(directory, { shutdown: 'immediate' })
  return 'its port was taken'
}

/** Whether another attempt may succeed. Removes the obstacle, if there is one. */
async function mayPass(
  directory: DataDirectory,
  words: string,
  { attempt, tcp }: { attempt: number; tcp: boolean | number },
): Promise<boolean> {
  // Only trying shows whether a port is free, because another process may take it between a probe and the use.
  if (saysPortTaken(words) || words.includes('could not create any TCP/IP sockets')) {
    return tcp === true && attempt < 30
  }
  // The pid in a left file was taken by another process after we had looked.
  if (/lock file "[^"]*" already exists/.test(words)) {
    await removeLeftFiles(directory)
    return attempt < 10
  }
  if (/pre-existing shared memory block/.test(words)) {
    await sleep(50)
    if (attempt > 3) await endOrphans(directory)
    return true
  }
  // On macOS and the BSDs, semget(2) sometimes fails while another server starts.
  if (/could not create semaphores: Invalid argument/.test(words)) {
    await sleep(50 * attempt)
    return attempt < 10
  }
  // Its copy was being recovered when the server was killed.
  if (attempt === 1 && saysCopyIsCutOff(words)) return await restoreLabel(directory)
  return false
}

/**
 * The fixed settings come last, so that nothing overrides them.
 *
 * The socket lies in the server's working directory and has a relative path. So its path may be long (`sun_path` takes 107
 * bytes) and may contain commas, and a server with a moved directory removes its own socket, not that of a new server at the
 * old path. Therefore `SHOW unix_socket_directories` says `.`; clients get the absolute path.
 */
function flags(settings: Readonly<Record<string, string>>, tcp: boolean | number): string[] {
  const all = {
    unix_socket_directories: '.',
    ...settings,
    unix_socket_permissions: '0700',
    listen_addresses: tcp === false ? '' : '127.0.0.1,::1',
    port: String(portFor(tcp)),
  }
  return Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}

/** The port to use. For `true` it is random, and below the ports that the system assigns by itself. */
function portFor(tcp: boolean | number): number {
  if (tcp === true) return 20_000 + Math.floor(Math.random() * 12_000)
  return tcp === false ? socketOnlyPort : tcp
}
