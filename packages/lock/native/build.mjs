// build.mjs [DIRECTORY]: compiles the addon for each platform, into `prebuilt` unless told otherwise.
//
// The same compiler makes the same bytes everywhere, since nothing of the system's headers or libraries goes in: Debian 12's
// `clang` and `lld`. Others make a working file, too, but not this one.
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { include_dir as headers } from 'node-api-headers'

const compiler = 'Debian clang version 14.0.6'

/** What is built, by the name that `process.platform` and `process.arch` make. */
const targets = {
  'linux-x64': ['--target=x86_64-linux-gnu'],
  'linux-arm64': ['--target=aarch64-linux-gnu', '-mno-outline-atomics'],
}

const flags = [
  '-std=c11',
  '-O2',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-ffreestanding',
  '-fPIC',
  '-fvisibility=hidden',
  '-fno-ident',
  '-fno-asynchronous-unwind-tables',
  // No library is linked: Node has all of them loaded. An undefined symbol without a version is found in any libc.
  '-shared',
  '-nostdlib',
  '-fuse-ld=lld',
  '-Wl,--build-id=none',
  '-Wl,--hash-style=both',
  '-Wl,--strip-all',
  '-Wl,-z,noexecstack',
  '-Wl,-z,now',
  // A terminated worker thread closes its addons, and a thread that waits may still run in it.
  '-Wl,-z,nodelete',
]

const here = dirname(fileURLToPath(import.meta.url))

/** Compiles one target. Throws what the compiler says. */
function build(target, directory) {
  const output = join(directory, `${target}.node`)
  const words = [
    ...targets[target],
    ...flags,
    '-isystem',
    headers,
    'flock.c',
    'lock_file.c',
    'wait.c',
    '-o',
    output,
  ]
  const { status, stderr, error } = spawnSync('clang', words, { cwd: here, encoding: 'utf8' })
  if (status !== 0) throw new Error(error?.message ?? stderr)
  return output
}

/** What keeps this machine from making the same bytes; `null`: nothing. */
function unlike() {
  const { stdout } = spawnSync('clang', ['--version'], { encoding: 'utf8' })
  const linker = spawnSync('ld.lld', ['--version'], { encoding: 'utf8' })
  if (!stdout?.startsWith(compiler)) return `clang is not ${compiler}`
  return linker.stdout?.startsWith('Debian LLD 14.0.6') ? null : 'lld is not Debian LLD 14.0.6'
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const directory = process.argv[2] ?? join(here, '../prebuilt')
  const why = unlike()
  if (why !== null) console.error(`the files will differ from those that are published: ${why}`)
  for (const target of Object.keys(targets)) console.log(build(target, directory))
}
