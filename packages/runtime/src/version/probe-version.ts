import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Readable } from 'node:stream'
import { isForeignProgram } from '../machine/is-foreign-program.ts'
import type { RuntimeProblem } from '../runtime-problem.ts'
import { Version } from './version.ts'
import { RuntimeError, notARuntime } from '../errors.ts'

/** The timeout of `postgres --version`, in ms. It usually takes 5 ms. */
const probeTimeout = 5_000

/**
 * Asks a `postgres` for its version, by running it.
 *
 * The program does not get our environment. After `timeout` ms, it and the processes that it started are killed. Throws
 * `ERR_RUNTIME_NOT_A_RUNTIME`, which says why the version could not be determined.
 */
export async function probeVersion(
  postgres: string,
  timeout: number = probeTimeout,
): Promise<Version> {
  const fail = (problem: RuntimeProblem, detail: string, cause?: unknown): RuntimeError =>
    notARuntime(dirname(postgres), problem, detail, cause)

  // A user who may execute a program may still not be allowed to read it.
  if (await isForeignProgram(postgres).catch(() => false)) {
    throw fail('wrong-platform', `${postgres} was built for another system or processor`)
  }
  const result = await ask(postgres, timeout)
  if (result === null) throw fail('hung', `${postgres} --version had not ended after ${timeout} ms`)
  const { cause, code } = result
  const output = result.all.trim().slice(0, 500)
  if (result.exitCode === 0) {
    try {
      return Version.parse(result.stdout.trim())
    } catch (error) {
      throw fail('no-version', `${postgres} --version printed ${JSON.stringify(output)}`, error)
    }
  }
  if (code === 'ENOENT' && (await exists(postgres))) {
    throw fail(
      'wrong-platform',
      `${postgres} was built for another C library: its loader is missing`,
      cause,
    )
  }
  if (code === 'ENOENT') throw fail('missing', `there is no ${postgres}`, cause)
  if (code === 'EACCES' || code === 'EPERM') {
    throw fail(
      'not-executable',
      `${postgres} may not be executed by us (permissions, or a noexec mount)`,
      cause,
    )
  }
  if (isForOtherProcessor(code)) {
    throw fail(
      'wrong-platform',
      `${postgres} was built for another processor; install one for ${process.arch}, or, on a Mac with Apple's processor, ` +
        'what runs programs for Intel: softwareupdate --install-rosetta',
      cause,
    )
  }
  // The messages of the loaders of glibc, musl and macOS.
  if (
    /error while loading shared libraries|Error loading shared library|Library not loaded/i.test(
      output,
    )
  ) {
    throw fail('missing-library', output, cause)
  }
  if (/(symbol|version) .*not (found|defined)|Error relocating/i.test(output)) {
    throw fail('wrong-platform', output, cause)
  }
  const end = result.signal
    ? `was ended by ${result.signal}`
    : `ended with ${result.exitCode ?? code ?? 'an error'}`
  throw fail('no-version', `${postgres} --version ${end}${output && `: ${output}`}`, cause)
}

/** How a program ended, and what it printed. */
interface Ended {
  /** The system's error, if it did not start. */
  readonly cause?: NodeJS.ErrnoException
  readonly code?: string | undefined
  readonly exitCode?: number | null
  readonly signal?: NodeJS.Signals | null
  readonly stdout: string
  /** What it printed on stdout and stderr, in the order in which it arrived. */
  readonly all: string
}

/** How many characters a program may print. Nothing after them is read. */
const longestOutput = 10_000

/**
 * Runs a program, and gives `null` if it has not ended after `timeout` ms. It has its own process group, so that then the
 * processes that a wrapper script started are killed, too.
 */
async function ask(program: string, timeout: number): Promise<Ended | null> {
  const printed = { stdout: '', all: '' }
  let child: ChildProcess
  try {
    child = spawn(program, ['--version'], {
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
  } catch (error) {
    // Node throws some errors of the system, and emits others.
    const cause = error as NodeJS.ErrnoException
    return { cause, code: cause.code, ...printed }
  }
  // There are no streams if there was no descriptor for them.
  const { stdout, stderr } = child
  const read = (stream: Readable | null, isResult: boolean) =>
    stream?.setEncoding('utf8').on('data', (text: string) => {
      if (printed.all.length >= longestOutput) return
      printed.all += text
      if (isResult) printed.stdout += text
    })
  read(stdout, true)
  read(stderr, false)
  let timer: NodeJS.Timeout | undefined
  try {
    return await new Promise<Ended | null>((resolve) => {
      timer = setTimeout(resolve, timeout, null)
      child.once('error', (cause: NodeJS.ErrnoException) =>
        resolve({ cause, code: cause.code, ...printed }),
      )
      child.once('close', (exitCode, signal) => resolve({ exitCode, signal, ...printed }))
    })
  } finally {
    clearTimeout(timer)
    // A process that left the group and still has the pipe open must not make us wait.
    stdout?.destroy()
    stderr?.destroy()
    if (child.exitCode === null && child.signalCode === null) killGroup(child.pid)
    child.unref()
  }
}

/**
 * Whether macOS reports a program for another processor: EBADARCH, 86 in its sys/errno.h. libuv does not know this error, so
 * it calls it "Unknown system error -86".
 */
function isForOtherProcessor(code: string | undefined): boolean {
  return process.platform === 'darwin' && code === 'Unknown system error -86'
}

async function exists(path: string): Promise<boolean> {
  return access(path, constants.F_OK).then(
    () => true,
    () => false,
  )
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // The process has just ended by itself.
  }
}
