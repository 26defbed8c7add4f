import { acquire, inspect, type Inspection, type Lock } from '@howdah/lock'
import { fullPath, runChild } from '@howdah/terminal'
import type { Context } from '../program/command.ts'
import { misused } from '../errors.ts'
import { errno } from '@howdah/durable'
import { exitStatus } from '../exit-status.ts'
import { nameOfUser } from '../output/name-of-user.ts'

/** Runs a command while holding a lock, or prints who holds the lock. */
export async function lock(
  context: Context,
  [path = '', ...words]: readonly string[],
): Promise<number> {
  const { io, options, output, interruption } = context
  if (options.command !== undefined && words.length > 0)
    throw misused('lock: it takes a command, or -c and one for the shell')
  const script = options.command === undefined ? words : ['/bin/sh', '-c', options.command]
  const [command, ...args] = script
  if (path === '') throw misused('lock: the path is empty')
  // A slash at the end says that it is a directory.
  const place = `${fullPath(io, path)}${/.\/\.?$/.test(path) ? '/' : ''}`
  if (command === undefined) return await tell(context, place)
  if (options.json) throw misused('lock: --json is for who holds it, without a command')
  const held = await take(context, place)
  if (held === null) return exitStatus.ownFailure
  try {
    interruption.signal.throwIfAborted()
    return await runChild(io, interruption, {
      command,
      args,
      env: io.env,
      descriptors: options.close === true ? [] : [held.fd],
      onFailure: (message) => output.complain(`howdah: ${message}`),
    })
  } finally {
    // Without --close, processes that the command has left running keep the lock, as with flock(1).
    if (options.close === true) held.release()
    else held.detach()
  }
}

/** Waits for the lock, and prints who holds it. `null` if this took too long, after reporting it. */
async function take(
  { options, output, interruption }: Context,
  path: string,
): Promise<Lock | null> {
  const timeout = options.nonblock === true ? 0 : (options.timeout ?? options.wait)
  const tellWaiting = async (over: AbortSignal) => {
    const holders = await heldBy(path)
    if (!over.aborted) output.message(`howdah: waiting for the lock on ${path}${holders}`)
  }
  try {
    return await acquire(path, {
      mode: options.shared ? 'shared' : 'exclusive',
      timeout,
      signal: interruption.signal,
      onWait: ({ over }) => void tellWaiting(over),
    })
  } catch (error) {
    if (errno(error) !== 'ERR_LOCK_TIMEOUT') throw error
    output.complain(
      `howdah: the lock on ${path} was not acquired within ${(timeout ?? 0) / 1000} s${await heldBy(path)}; ` +
        'wait longer, or end the process that holds it',
    )
    return null
  }
}

/** The name of a holder that cannot be seen from here. */
const somebody =
  'somebody who cannot be seen from here, such as a process outside of this container'

/** The holders, as text for the end of a message. */
async function heldBy(path: string): Promise<string> {
  const { holders, unseen } = await inspectQuietly(path)
  const names = holders.map(nameOfUser)
  if (unseen !== null) names.push(somebody)
  return names.length === 0 ? '' : `, held by ${names.join(', ')}`
}

/** The visible processes that hold the lock, inherited or not. */
async function inspectQuietly(path: string): Promise<Pick<Inspection, 'holders' | 'unseen'>> {
  try {
    return await inspect(path)
  } catch {
    return { holders: [], unseen: null }
  }
}

/** Prints who holds the lock and who waits for it. */
async function tell({ options, output }: Context, path: string): Promise<number> {
  const { holders, waiters, unseen } = await inspect(path)
  if (options.json) {
    await output.json({ path, holders, waiters, unseen })
    return exitStatus.done
  }
  if (unseen !== null) await output.line(`holds  ${unseen.padEnd('exclusive'.length)}  ${somebody}`)
  for (const [doing, who] of [
    ['holds', holders],
    ['waits', waiters],
  ] as const) {
    for (const one of who)
      await output.line(`${doing}  ${one.mode.padEnd('exclusive'.length)}  ${nameOfUser(one)}`)
  }
  if (holders.length === 0 && unseen === null) output.message(`nobody holds the lock on ${path}`)
  return exitStatus.done
}
