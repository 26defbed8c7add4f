// Compares with other packages in one run, and prints tables. `node bench/lock.bench.mjs [--others] [PART …]`
//
// `--others` compares with fs-ext-extra-prebuilt and Deno, too, which npm installs into a temporary directory. Bun has no locks
// on files of its own.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { installOthers } from './others.mjs'

const directories = []
const directory = (parent) => {
  directories.push(mkdtempSync(join(parent, 'howdah-lock-bench-')))
  return directories.at(-1)
}
const disk = directory(tmpdir())
const memory = existsSync('/dev/shm') ? directory('/dev/shm') : null
const { positionals: wanted, values } = parseArgs({
  options: { others: { type: 'boolean', default: false } },
  allowPositionals: true,
})
if (values.others) installOthers(directory(tmpdir()))
// Not before: they look for what is installed.
const { contended, writerAmongReaders } = await import('./contended.mjs')
const { uncontended } = await import('./uncontended.mjs')
const { afterKill, idleWaiting, readingBesideWaiters } = await import('./waiting.mjs')

const parts = {
  uncontended: async () => {
    print(`a free lock, taken and given back, in ${tmpdir()}`, await uncontended(disk))
    if (memory) print('the same in /dev/shm (tmpfs)', await uncontended(memory))
  },
  two: async () => print('two processes in a hot loop, 1 ms holds', await contended(disk, 2)),
  six: async () => print('six processes in a hot loop, 1 ms holds', await contended(disk, 6)),
  readers: async () =>
    print('a writer among four overlapping readers waits', [await writerAmongReaders(disk)]),
  idle: async () => print('one waiter while nothing happens', [await idleWaiting(disk)]),
  pool: async () =>
    print('fs.readFile beside 64 waiters in the process', [await readingBesideWaiters(disk)]),
  kill: async () => print('the lock of a killed process is acquired after', await afterKill(disk)),
}

function print(title, rows) {
  console.log(`\n${title}`)
  console.table(Object.fromEntries(rows.map(({ name = '@howdah/lock', ...row }) => [name, row])))
}

try {
  for (const [name, part] of Object.entries(parts))
    if (wanted.length === 0 || wanted.includes(name)) await part()
} finally {
  for (const path of directories) rmSync(path, { recursive: true, force: true })
}
process.exit()
