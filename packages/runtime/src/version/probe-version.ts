import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { dirname } from 'node:path'
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
  const { execa } = await import('execa')
  // It has its own process group, so that the timeout also ends the processes that a wrapper script started.
  const subprocess = execa(postgres, ['--version'], {
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
    extendEnv: false,
    cwd: '/',
    stdin: 'ignore',
    all: true,
    maxBuffer: 10_000,
    detached: true,
    reject: false,
  })
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, timeout, null)
  })
  const result = await Promise.race([subprocess, late])
  clearTimeout(timer)
  if (result === null) {
    // A process that left the group and still has the pipe open must not make us wait.
    subprocess.all?.destroy()
    subprocess.stdout?.destroy()
    subprocess.stderr?.destroy()
    killGroup(subprocess.pid)
    throw fail('hung', `${postgres} --version had not ended after ${timeout} ms`)
  }
  const output = result.all?.trim().slice(0, 500) ?? ''
  if (result.exitCode === 0) {
    try {
      return Version.parse(result.stdout)
    } catch (cause) {
      throw fail('no-version', `${postgres} --version printed ${JSON.stringify(output)}`, cause)
    }
  }
  const cause = result.failed ? result : undefined
  const code = result.code
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
  if (isForOtherProcessor(result)) {
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

/**
 * Whether macOS reports a program for another processor: EBADARCH, 86 in its sys/errno.h. libuv does not know this error, so
 * it calls it "Unknown system error -86".
 */
function isForOtherProcessor({ code }: { readonly code?: string | undefined }): boolean {
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
