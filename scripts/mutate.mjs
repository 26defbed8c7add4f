// `pnpm mutate PACKAGE [FILE…] [-- TEST…]`: changes the source of a package in one place at a time, and tells which changes no test
// notices. Files are named from the package's `src`, maybe with lines (`leave.ts:20-40`); without them it is all of it. Tests
// are named from the package's `test`, or as patterns from the root; without them it is all of the package. The packages have
// to be built. As root on Linux it runs in namespaces of its own, for a changed program may remove, write and signal anything.
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const [name, ...rest] = process.argv.slice(2)
if (name === undefined || !existsSync(join(root, 'packages', name, 'src'))) {
  console.error(
    'usage: pnpm mutate PACKAGE [FILE…] [-- TEST…], such as: pnpm mutate ltx checksum/crc64.ts',
  )
  process.exit(2)
}
const end = rest.includes('--') ? rest.indexOf('--') : rest.length
const files = rest.slice(0, end)
const tests = rest.slice(end + 1)

/** Nothing but the checkout and the temporary directory can be written to, and no other process can be seen. */
const readOnly = `
mount --bind "$1" "$1" && mount --bind "$2" "$2" || exit 1
while read -r _ place type options; do
  case $place in "$1" | "$2" | /proc* | /sys* | /dev*) continue ;; esac
  case $options in ro | ro,*) continue ;; esac
  mount -o remount,bind,ro "$place" || [ "$place" != / ] || exit 1
done </proc/self/mounts
cd "$1" && shift 2 && exec "$@"
`
const temporary = mkdtempSync(join(tmpdir(), 'howdah-mutate-'))
// The users as whom servers run get through, when we are root.
chmodSync(temporary, 0o755)
const namespaces = ['--mount', '--pid', '--ipc', '--fork', '--kill-child', '--mount-proc']
const canHide = spawnSync('unshare', [...namespaces, 'true'], { stdio: 'ignore' }).status === 0
const isolation = canHide
  ? ['unshare', ...namespaces, 'sh', '-c', readOnly, 'mutate', root, temporary]
  : []
if (!canHide) console.warn('mutants are not kept apart: that needs root and unshare(1)')

const mutated = files.map((file) => `packages/${name}/src/${file}`).join(',')
const stryker = join(root, 'node_modules/@stryker-mutator/core/bin/stryker.js')
const command = [
  ...isolation,
  process.execPath,
  stryker,
  'run',
  ...(mutated === '' ? [] : ['--mutate', mutated]),
]
const child = spawn(command[0], command.slice(1), {
  cwd: root,
  stdio: 'inherit',
  env: {
    // Tests that draw at random draw a little: each mutant meets all tests that reach it.
    HOWDAH_TEST_COUNT: '0.02',
    HOWDAH_TEST_MAJORS: '18',
    ...process.env,
    TMPDIR: temporary,
    HOWDAH_MUTATE: name,
    HOWDAH_MUTATE_TESTS: tests
      .map((test) => (test.startsWith('packages/') ? test : `packages/${name}/test/${test}`))
      .join(','),
  },
})
// Whatever ends this, the temporary directory goes.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => child.kill(signal))
child.once('exit', (status) => {
  rmSync(temporary, { recursive: true, force: true })
  process.exitCode = status ?? 1
})
