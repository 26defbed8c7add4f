import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type Paths, Guard, ownership } from '@howdah/coordinate'
import { killed, linuxOnly, until } from '@howdah/fixtures'
import { identifyProcess } from '@howdah/lock'
import { Arena } from '../arena.ts'
import { FakeSubject } from '../fake-subject.ts'
import { isFree, isLinux, watchdogKinds } from '../locks-in-use.ts'
import { abandon } from './abandon.ts'

type Other = [what: string, line: RegExp, instead: string]

const namespace: Other = ['pid namespace', /^namespace .*$/m, 'namespace pid:[1]']

/** What else a record says of its process, each with another value. */
const others: Other[] = [
  ['start time', /^start (.+)$/m, 'start 1$1'],
  ['boot', /^boot .*$/m, 'boot another'],
  // No other system has any.
  ...(isLinux ? [namespace] : []),
]

describe.each(watchdogKinds)('a watchdog (%s)', (watchdog) => {
  test('signals the process that the record names, and nobody that differs from it in one thing', async () => {
    const cases: typeof others = [
      ['nothing', /^/, ''],
      ...others,
      ['subject', /^of .*$/m, 'of 1:1'],
      ['signal', /^signal .*$/m, 'signal SIGKILL'],
    ]
    const outcomes = await Promise.all(
      cases.map(async ([what, line, instead]) => {
        await using subject = FakeSubject.thatIs().alreadyExisting()
        const { paths } = subject
        const guard = await Guard.join(subject, paths, { start: undefined, watchdog })
        process.kill((await subject.process())!.pid, 'SIGKILL')
        await until('the server is dead', async () => (await subject.process()) === null)
        using bystander = killed(spawn('sleep', ['600']))
        await once(bystander, 'spawn')
        rewrite(paths, (record) => naming(bystander, record).replace(line, instead))
        await abandon(guard, paths)
        await until('the watchdog is gone', () => isFree(paths.watchdog))
        return [what, await signalOf(bystander)]
      }),
    )
    expect(outcomes).toEqual(cases.map(([what]) => [what, what === 'nothing' ? 'SIGTERM' : 'none']))
  })
})

test.each(watchdogKinds)(
  'a zombie is dead: no watchdog (%s) waits for its end',
  linuxOnly('/proc, which tells of zombies when they started'),
  async (watchdog) => {
    await using subject = FakeSubject.thatIs().alreadyExisting()
    const { paths } = subject
    const guard = await Guard.join(subject, paths, { start: undefined, watchdog })
    process.kill((await subject.process())!.pid, 'SIGKILL')
    await until('the server is dead', async () => (await subject.process()) === null)
    // Its parent has become a program that does not ask for it.
    const script = 'exec 3<&0; (read -r _ <&3) & echo $!; exec sleep 600'
    using parent = killed(spawn('sh', ['-c', script]))
    const zombie = Number(String((await once(parent.stdout, 'data'))[0]))
    const program = () => readFileSync(`/proc/${parent.pid}/comm`, 'utf8')
    await until('it is another program', () => program() === 'sleep\n')
    parent.stdin.end()
    const fields = await until('it is a zombie', () => {
      const stat = readFileSync(`/proc/${zombie}/stat`, 'utf8')
      const all = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return all[0] === 'Z' ? all : null
    })
    rewrite(paths, (record) =>
      record
        .replace(/^pid .*$/m, `pid ${zombie}`)
        .replace(/^start .*$/m, `start ${fields[19]}`)
        .replace(/^cwd .*\n/m, ''),
    )
    await abandon(guard, paths)
    await until('the watchdog is gone', () => isFree(paths.watchdog))
    expect(await signalOf(parent)).toBe('none')
  },
)

test.each(others)(
  'who leaves stops no server that differs from the record in its %s',
  async (_, line, instead) => {
    await using arena = new Arena()
    const { subject, paths } = arena
    const guard = await Guard.join(subject, paths, { start: {} })
    expect(await ownership(paths, subject)).toBe('ours')
    rewrite(paths, (record) => record.replace(line, instead))
    expect(await ownership(paths, subject)).toBe('foreign')
    expect(await guard.leave()).toBe('kept')
    expect(await subject.running()).toBe(true)
    expect(arena.count('stop')).toBe(0)
  },
)

function rewrite(paths: Paths, change: (record: string) => string): void {
  writeFileSync(paths.record, change(readFileSync(paths.record, 'utf8')))
}

function naming({ pid }: ChildProcess, record: string): string {
  const identity = identifyProcess(pid ?? 0)
  return record
    .replace(/^pid .*$/m, `pid ${identity?.pid}`)
    .replace(/^start .*$/m, `start ${identity?.startTime}`)
}

/** What has ended it; it is killed if nothing has. */
async function signalOf(child: ChildProcess): Promise<string> {
  const ended = once(child, 'exit')
  if (child.signalCode === null) {
    child.kill('SIGKILL')
    await ended
  }
  return child.signalCode === 'SIGKILL' ? 'none' : String(child.signalCode)
}
