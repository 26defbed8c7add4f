import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import { Guard, endServer, readRecord } from '@howdah/coordinate'
import { identifyProcess, type ProcessIdentity } from '@howdah/lock'
import { killed, linuxOnly, needsProgram, whereIs } from '@howdah/fixtures'
import { Arena } from '../arena.ts'
import { watchdogKinds } from '../locks-in-use.ts'
import { abandon } from './abandon.ts'
import { OwnShell } from './own-shell.ts'

const { execPath } = process
const bash = whereIs('bash')
const isShell = linuxOnly('a watchdog that is a shell')
const byBash = { skip: isShell.skip || needsProgram('bash').skip }

afterEach(() => {
  process.execPath = execPath
})

/** A process that takes no notice of some signals. */
async function deaf(...signals: string[]): Promise<Disposable & { identity: ProcessIdentity }> {
  const script = `trap '' ${signals.join(' ')}; echo ready; exec sleep 600`
  const child = killed(spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] }))
  await once(child.stdout, 'data')
  const identity = identifyProcess(child.pid ?? 0)
  if (identity === null) throw new Error('it has ended')
  return Object.assign(child, { identity })
}

describe('a server that does not end when it is told to', () => {
  test('is told to quit after the patience that one has with it, and not before', async () => {
    using one = await deaf('INT')
    expect(await endServer(one.identity, { signal: 'SIGINT', patience: 1 })).toBe('quit')
    using other = await deaf('INT', 'QUIT')
    const { identity } = other
    const impatient = { signal: 'SIGINT', timeout: 50, patience: 60_000 } as const
    expect(await endServer(identity, impatient)).toBe('alive')
    expect(await endServer(identity, { signal: 'SIGTERM' })).toBe('ended')
  })

  test(
    'is told to quit by the shell that watches after 1500 looks, one each 20 ms',
    byBash,
    async () => {
      using shell = new OwnShell()
      // Without the pauses.
      shell.asWatchdog('exec bash -c "${2//free sleep 0.02/:}" "${@:3}"', bash ?? '')
      await using arena = new Arena({ shell: shell.path })
      const guard = await Guard.join(arena.subject, arena.paths, { start: { slowStop: 600_000 } })
      expect(readRecord(arena.paths)?.stillness).toBe(0)
      await abandon(guard, arena.paths)
      await arena.deserted()
      expect(arena.events().map(([what]) => what)).toEqual(['start', 'stop'])
    },
  )
})

test.each(watchdogKinds)(
  'a server that is suspended is continued by its watchdog (%s), or it would never hear that it is to end',
  async (watchdog) => {
    await using arena = new Arena()
    const guard = await Guard.join(arena.subject, arena.paths, { start: {}, watchdog })
    process.kill(arena.pid('server'), 'SIGSTOP')
    await abandon(guard, arena.paths)
    await arena.deserted()
    expect(arena.events().map(([what]) => what)).toEqual(['start', 'stop', 'gone'])
  },
)

describe('a watchdog that ends lets go of its own lock while it still has use, so that no newcomer counts on it', () => {
  test('the shell (bash, which can be asked before each command)', byBash, async () => {
    using shell = new OwnShell()
    const log = shell.beside('log')
    writeFileSync(log, '')
    const look = `look() {
      [ "$BASHPID" = "$$" ] || return 0
      if [ -e /proc/$$/fd/5 ]; then has_use=yes
      elif [ -n "$has_use" ] && [ -e /proc/$$/fd/3 ]; then echo "use is free before: $BASH_COMMAND" >>${log}; fi
      [ -e /proc/$$/fd/3 ] || echo "ends at: $BASH_COMMAND" >>${log}
    }
    set -T; trap look DEBUG
    `
    shell.asWatchdog(`exec bash -c '${look}'"$2" "\${@:3}"`, bash ?? '')
    await using arena = new Arena({ shell: shell.path })
    const guard = await Guard.join(arena.subject, arena.paths, { start: {} })
    await abandon(guard, arena.paths)
    await arena.deserted()
    expect(arena.count('gone')).toBe(1)
    expect(readFileSync(log, 'utf8')).toMatch(/^(ends at: .*\n)+$/)
  })

  test('Node', linuxOnly('/proc/locks, which tells who holds a lock'), async () => {
    using shell = new OwnShell()
    await using arena = new Arena()
    const log = shell.beside('log')
    writeFileSync(
      shell.beside('look.mjs'),
      `import fs from 'node:fs'
      import { syncBuiltinESMExports } from 'node:module'
      const { closeSync } = fs
      fs.closeSync = (fd) => {
        if (fd === 3) {
          const { ino } = fs.statSync(${JSON.stringify(arena.paths.use)})
          const lock = new RegExp('FLOCK +ADVISORY +WRITE ' + process.pid + ' [^ ]*:' + ino + ' ')
          fs.appendFileSync(${JSON.stringify(log)}, lock.test(fs.readFileSync('/proc/locks', 'utf8')) ? 'has use' : 'has not')
        }
        closeSync(fd)
      }
      syncBuiltinESMExports()`,
    )
    const node = `#!/bin/sh\nexec '${execPath}' --import '${shell.beside('look.mjs')}' "$@"\n`
    writeFileSync(shell.path, node)
    chmodSync(shell.path, 0o755)
    process.execPath = shell.path
    const guard = await Guard.join(arena.subject, arena.paths, { start: {}, watchdog: 'node' })
    process.execPath = execPath
    await abandon(guard, arena.paths)
    await arena.deserted()
    expect(readFileSync(log, 'utf8')).toBe('has use')
  })
})
