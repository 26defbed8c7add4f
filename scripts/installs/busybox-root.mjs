import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'

const directories = ['bin', 'dev', 'etc', 'proc', 'root', 'tmp', 'usr/bin', 'var/cache', 'var/tmp']

/** Fills a directory with what a system needs at least: BusyBox, users, and libraries under the paths that they have here. */
export function busyboxRoot(root, libraries) {
  for (const name of directories) mkdirSync(join(root, name), { recursive: true })
  for (const name of ['tmp', 'var/tmp']) chmodSync(join(root, name), 0o1777)
  const busybox = realpathSync('/bin/busybox')
  copyFileSync(busybox, join(root, 'bin/busybox'))
  const applets = execFileSync(busybox, ['--list'], { encoding: 'utf8' }).trim().split('\n')
  for (const applet of applets.filter((name) => name !== 'busybox'))
    symlinkSync('busybox', join(root, 'bin', applet))
  // Scripts begin with it.
  symlinkSync('../../bin/env', join(root, 'usr/bin/env'))
  const users = ['root:x:0:0::/root:/bin/sh', 'nobody:x:65534:65534::/tmp:/bin/sh']
  writeFileSync(join(root, 'etc/passwd'), `${users.join('\n')}\n`)
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\nnogroup:x:65534:\n')
  for (const library of libraries) {
    const target = join(root, library)
    mkdirSync(dirname(target), { recursive: true })
    copyFileSync(realpathSync(library), target)
    chmodSync(target, 0o755)
  }
}

/** The loader of this system, the libraries that it finds for a program, and all that the C library consists of. */
export function librariesOf(program) {
  const output = execFileSync('ldd', [program], { encoding: 'utf8' })
  const needed = [...output.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path)
  const directory = dirname(
    needed.find((path) => basename(path) === 'libc.so.6') ?? '/lib/libc.so.6',
  )
  const parts = readdirSync(directory).filter((name) =>
    /^lib(dl|m|pthread|resolv|rt|util|nss_\w+)\.so\.\d$/.test(name),
  )
  return [...needed, ...parts.map((name) => join(directory, name))]
}
