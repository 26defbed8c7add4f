import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, realpathSync, symlinkSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { busyboxRoot } from './busybox-root.mjs'

/** What compiles native packages, other PostgreSQLs, and other Nodes and package managers than those that are tried. */
const hidden =
  /^(python.*|make|gmake|cmake|ninja|cc|c\+\+|c?[89]9(-gcc)?|.*g?cc(-\d+)?|.*[gc]\+\+(-\d+)?|clang.*|cpp.*|ld(\..*)?|.*-ld.*|pg_.*|psql|initdb|postgres|createdb|node|nodejs|np[mx]|pn?px|pnpm|yarn.*|bunx?|corepack|node-gyp)$/

/** By its path: the PATH is that of the other system. */
const chroot = ['/usr/sbin/chroot', '/sbin/chroot', '/usr/bin/chroot'].find(existsSync)

/**
 * Where the packages are tried: a network that reaches the registry and nothing else, and a PATH without compilers, make,
 * Python and PostgreSQL.
 */
export class Surroundings {
  /** What could not be taken away. */
  shortcomings = []
  #holder
  #relay
  #path
  #systems = new Map()

  /** Prepares them in an empty directory. */
  static async prepare(scratch, port) {
    const made = new Surroundings()
    made.#path = toolsOnly(join(scratch, 'bin'))
    const socket = join(scratch, 'registry.sock')
    made.#relay = createServer((inner) => {
      const outer = connect(port, '127.0.0.1')
      inner.pipe(outer).pipe(inner)
      for (const stream of [inner, outer]) stream.on('error', () => stream.destroy())
    }).listen(socket)
    await once(made.#relay, 'listening')
    if (spawnSync('unshare', ['--net', '--mount', 'true']).status !== 0) {
      made.shortcomings.push('here nothing keeps an installation from reaching other networks')
      return made
    }
    const forward = fileURLToPath(new URL('forward.mjs', import.meta.url))
    const script = `ip link set lo up
      if [ -d /usr/lib/postgresql ]; then mount -t tmpfs none /usr/lib/postgresql; fi
      exec "$0" "$@"`
    made.#holder = spawn(
      'unshare',
      ['--net', '--mount', 'sh', '-ec', script, process.execPath, forward, port, socket],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    )
    await Promise.race([once(made.#holder.stdout, 'data'), once(made.#holder, 'exit')])
    if (made.#holder.exitCode !== null) throw new Error('no network of our own could be made')
    return made
  }

  /** The PATH of a directory of programs, before those of a system. */
  path(directory, system) {
    return `${directory}:${system === undefined ? this.#path : '/bin'}`
  }

  /** The words that run a command line in here, in a directory, and in another system if one is named. */
  inside(words, { directory, system }) {
    const change = ['sh', '-c', 'cd "$0" && exec "$@"', directory, ...words]
    if (this.#holder === undefined) return change
    const root = this.#systems.get(system)
    const rooted = root === undefined ? change : [chroot, root, ...change]
    return ['nsenter', '--net', '--mount', `--target=${this.#holder.pid}`, ...rooted]
  }

  /**
   * Adds a system that has BusyBox, a C library and nothing else, with `bound` directories under the same paths.
   *
   * The mounts end with the surroundings. Gives false if no system can be made here.
   */
  addSystem(name, root, { libraries, bound }) {
    if (this.#holder === undefined) return false
    busyboxRoot(root, libraries)
    const binds = ['/proc', '/dev', ...bound].map((path) => {
      mkdirSync(join(root, path), { recursive: true })
      return `mount --rbind '${path}' '${root}${path}'`
    })
    const [command, ...args] = this.inside(['sh', '-ec', binds.join('\n')], { directory: '/' })
    execFileSync(command, args)
    this.#systems.set(name, root)
    return true
  }

  async leave() {
    this.#relay.close()
    if (this.#holder === undefined || this.#holder.exitCode !== null) return
    this.#holder.kill()
    await once(this.#holder, 'exit')
  }
}

/** A directory of links to the system's programs, without the hidden ones. */
function toolsOnly(directory) {
  mkdirSync(directory)
  for (const from of ['/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin', '/sbin']) {
    for (const name of existsSync(from) ? readdirSync(from) : []) {
      if (hidden.test(name) || existsSync(join(directory, name))) continue
      try {
        symlinkSync(realpathSync(join(from, name)), join(directory, name))
      } catch {
        // A link that leads nowhere.
      }
    }
  }
  return directory
}
