import { execFileSync } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
import { nativeIfLoadable } from '../binding/native.ts'

/** The ids that all processes share that can be seen from here. An id is `null` if it is unknown or the system has none. */
export interface Surroundings {
  readonly bootId: string | null
  readonly pidNamespace: string | null
  readonly machineId: string | null
}

let known: Surroundings | undefined

/** The surroundings of this process. They are looked up once. */
export function here(): Surroundings {
  known ??= process.platform === 'linux' ? linux() : process.platform === 'darwin' ? mac() : other()
  return known
}

/**
 * The ids that earlier versions of this package used for this machine. On macOS that was `kern.uuid`, which identifies the
 * kernel's build and changes with each update of the system.
 */
export function formerMachineIds(): string[] {
  const id = process.platform === 'darwin' ? sysctl('kern.uuid') : null
  return id === null ? [] : [id]
}

function linux(): Surroundings {
  return {
    bootId: read(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
    pidNamespace: read(() => readlinkSync('/proc/self/ns/pid')),
    machineId: read(() => readFileSync('/etc/machine-id', 'utf8')),
  }
}

function mac(): Surroundings {
  const native = nativeIfLoadable()
  return {
    bootId: textOf(native?.bootId?.()) ?? sysctl('kern.bootsessionuuid'),
    pidNamespace: null,
    // gethostuuid(3) gives the IOPlatformUUID.
    machineId: textOf(native?.hostId?.()) ?? platformId(),
  }
}

function other(): Surroundings {
  return { bootId: null, pidNamespace: null, machineId: null }
}

function textOf(answer: string | number | undefined): string | null {
  return typeof answer === 'string' ? answer : null
}

function sysctl(name: string): string | null {
  return read(() => run('/usr/sbin/sysctl', ['-n', name]))
}

function platformId(): string | null {
  const described = read(() => run('/usr/sbin/ioreg', ['-rd1', '-c', 'IOPlatformExpertDevice']))
  return /"IOPlatformUUID" = "([^"]+)"/.exec(described ?? '')?.[1] ?? null
}

function run(program: string, args: readonly string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
}

function read(source: () => string): string | null {
  try {
    return source().trim() || null
  } catch {
    return null
  }
}
