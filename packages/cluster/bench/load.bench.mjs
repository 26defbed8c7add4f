// How fast `load` loads a dump compared with psql, and how much memory each needs at most, interleaved:
//   node packages/cluster/bench/load.bench.mjs 1000 1
// The numbers are the size in MB, 300 by default, and the number of rounds, 3 by default. psql is that of the server, or on PATH.
// A process of its own loads each time, into a new database of a server without fsync. "rows" is a dump with COPY, "statements"
// one with an INSERT for each row, of a thirtieth of the size.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Cluster } from '@howdah/cluster'

const [size = 300, rounds = 3] = process.argv.slice(2).map(Number)
const directory = mkdtempSync(join(tmpdir(), 'howdah-load-'))
const cluster = new Cluster(join(directory, 'data'))
const session = await cluster.run({ mode: 'fast', settings: { max_wal_size: '4GB' } })
const script = `import { load } from '@howdah/dump'; await load({ url: process.argv[1] }, { from: process.argv[2] })`
const loaders = {
  psql: (url, file) => ['psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', url, '-f', file]],
  howdah: (url, file) => [process.execPath, ['--input-type=module', '-e', script, url, file]],
}
try {
  for (const [kind, megabytes] of Object.entries({
    rows: size,
    statements: Math.ceil(size / 30),
  })) {
    const file = join(directory, `${kind}.sql`)
    await pipeline(textOf(kind, megabytes * 1e6), createWriteStream(file))
    const found = { psql: [], howdah: [] }
    for (let round = 0; round < rounds; round += 1) {
      for (const loader of round % 2 === 0 ? ['psql', 'howdah'] : ['howdah', 'psql'])
        found[loader].push(await measure(loaders[loader], file))
    }
    const [psql, howdah] = [median(found.psql), median(found.howdah)]
    for (const [name, { ms, rss }] of Object.entries({ psql, howdah }))
      console.log(`${kind}, ${megabytes} MB: ${name} ${(ms / 1000).toFixed(1)} s, ${rss} MB`)
    console.log(
      `${kind}, ${megabytes} MB: ${Math.round((100 * psql.ms) / howdah.ms)} % of psql's speed`,
    )
    rmSync(file)
  }
} finally {
  await session.leave({ force: true })
  rmSync(directory, { recursive: true, force: true })
}

/** Loads a file into a new database. Gives the time in ms, and the most memory that the loader had, in MB. */
async function measure(loader, file) {
  await session.createDatabase('target')
  const [command, args] = loader(session.url('target'), file)
  const began = performance.now()
  const child = spawn(command, args, {
    cwd: import.meta.dirname,
    env: session.commandEnv('target'),
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  let rss = 0
  const looking = setInterval(() => (rss = Math.max(rss, mostMemory(child.pid))), 50)
  const [status] = await once(child, 'close')
  const ms = performance.now() - began
  clearInterval(looking)
  if (status !== 0) throw new Error(`${command} ended with ${status}`)
  await session.dropDatabase('target')
  return { ms, rss }
}

/** See proc_pid_status(5). */
function mostMemory(pid) {
  try {
    const [, kB = '0'] = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return Math.round(Number(kB) / 1024)
  } catch {
    return 0
  }
}

function median(all) {
  return all.toSorted((one, other) => one.ms - other.ms)[Math.floor(all.length / 2)]
}

function* textOf(kind, bytes) {
  yield 'CREATE TABLE t (id bigint, name text, at timestamptz, amount numeric, note text);\n'
  if (kind === 'rows') yield 'COPY t (id, name, at, amount, note) FROM stdin;\n'
  for (let written = 0, id = 1; written < bytes;) {
    let part = ''
    for (; part.length < 65_536; id += 1) {
      const [name, amount] = [`name ${id * 7919}`, (id % 9973) / 100]
      const note = id % 10 === 0 ? null : `a note of some length with the number ${id % 1000}`
      const at = `2026-11-${10 + (id % 20)} 12:00:00+00`
      part +=
        kind === 'rows'
          ? `${id}\t${name}\t${at}\t${amount}\t${note ?? '\\N'}\n`
          : `INSERT INTO t VALUES (${id}, '${name}', '${at}', ${amount}, ${note === null ? 'NULL' : `'${note}'`});\n`
    }
    written += part.length
    yield part
  }
  if (kind === 'rows') yield '\\.\n'
}
