// build.mjs [DIRECTORY]: compiles the addon for each platform, into `prebuilt` unless told otherwise.
//
// The same compiler makes the same bytes everywhere, since nothing of a system's headers or libraries goes in: Debian 12's
// `clang` and `lld`, also for macOS. Others make a working file, too, but not this one.
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { include_dir as headers } from 'node-api-headers'

const compiler = 'Debian clang version 14.0.6'

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
  '-nostdlib',
  '-fuse-ld=lld',
]

const linux = [
  // No library is linked: Node has all of them loaded. An undefined symbol without a version is found in any libc.
  '-shared',
  '-Wl,--build-id=none',
  '-Wl,--hash-style=both',
  '-Wl,--strip-all',
  '-Wl,-z,noexecstack',
  '-Wl,-z,now',
  // A terminated worker thread closes its addons, and a thread that waits may still run in it.
  '-Wl,-z,nodelete',
]

const darwin = [
  '-bundle',
  'libSystem.tbd',
  // Node-API is the program's.
  '-Wl,-undefined,dynamic_lookup',
  '-Wl,-x',
  // Macs with Apple's processors run signed code only. An ad-hoc signature is made of hashes alone.
  '-Wl,-adhoc_codesign',
]

/** What is built, by the name that `process.platform` and `process.arch` make. macOS: the oldest that Node 20 runs on. */
const targets = {
  'darwin-arm64': ['--target=arm64-apple-macosx11.0', ...darwin],
  'darwin-x64': ['--target=x86_64-apple-macosx10.15', ...darwin],
  'linux-arm64': ['--target=aarch64-linux-gnu', '-mno-outline-atomics', ...linux],
  'linux-x64': ['--target=x86_64-linux-gnu', ...linux],
}

const here = dirname(fileURLToPath(import.meta.url))

/** Compiles one target. Throws what the compiler says. */
function build(target, directory) {
  const output = join(directory, `${target}.node`)
  const words = [
    ...flags,
    ...targets[target],
    '-isystem',
    headers,
    'flock.c',
    'lock_file.c',
    'process.c',
    'shared_memory.c',
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
