// How long it takes until howdah says what a sandbox denies: from the start of the command to its end, under a filter of
// system calls. As root on Linux. HOWDAH_BENCH_ROUNDS sets how many rounds there are.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { underSeccomp } from '@howdah/fixtures'

const rounds = Number(process.env.HOWDAH_BENCH_ROUNDS ?? 7)
const bin = fileURLToPath(new URL('../dist/bin.cjs', import.meta.url))
const directory = realpathSync(mkdtempSync(join(tmpdir(), 'howdah-bench-')))
const repository = join(directory, 'repository')

const command = [process.execPath, bin, 'exec', '--', 'true']

function howdah(cwd, ...words) {
  const options = { cwd, stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' }
  return spawnSync(words[0], words.slice(1), options)
}

function git(...args) {
  const settings = ['-c', 'user.name=bench', '-c', 'user.email=bench@localhost']
  execFileSync('git', [...settings, ...args], { cwd: repository, stdio: 'ignore' })
}

/** Runs a command that is denied something, and answers with its time in ms. */
function timeDenied(cwd, call) {
  const words = underSeccomp(command, [call])
  const began = performance.now()
  const { status, stderr } = howdah(cwd, ...words)
  const time = performance.now() - began
  if (status !== 125 || !stderr.includes('this sandbox denies'))
    throw new Error(`${call} in ${cwd}: ${status}: ${stderr}`)
  return time
}

if (process.platform !== 'linux' || process.geteuid() !== 0) {
  console.log('only root on Linux can set a filter of system calls: nothing is measured')
  process.exit()
}
try {
  execFileSync('git', ['init', '--quiet', repository])
  git('commit', '--quiet', '--allow-empty', '--message=first')
  howdah(repository, ...command)
  git('worktree', 'add', '--quiet', join(directory, 'worktree'))
  execFileSync('mkdir', [join(directory, 'new')])
  const places = [
    ['a cluster that does not run', 'repository', ['bind', 'listen', 'socket', 'shmget']],
    ['no cluster yet', 'new', ['bind', 'listen', 'socket', 'shmget']],
    ['no cluster yet in a worktree', 'worktree', ['bind', 'listen', 'socket', 'shmget']],
  ]
  const rows = []
  for (const [title, name, calls] of places) {
    for (const call of calls) {
      const times = []
      for (let round = 0; round < rounds; round += 1) {
        const cwd = join(directory, name)
        times.push(timeDenied(cwd, call))
        // What had been made before the server was denied it.
        if (name !== 'repository') rmSync(join(cwd, '.howdah'), { recursive: true, force: true })
      }
      times.sort((a, b) => a - b)
      const [median, least, most] = [rounds >> 1, 0, rounds - 1].map((at) => times[at].toFixed(0))
      rows.push({ place: title, 'denied call': call, 'median ms': median, least, most })
    }
  }
  console.table(rows)
} finally {
  howdah(repository, process.execPath, bin, 'destroy', '--force', '--no-save')
  rmSync(directory, { recursive: true, force: true })
}
