import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { linuxOnly, temporaryDirectory, whereIs } from '@howdah/fixtures'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Project, type Result, start } from './project.ts'

const hasBash = whereIs('bash') !== null
if (!hasBash) console.log('what only bash can hand on is not tested: there is none')
const bin = fileURLToPath(new URL('../dist/bin.cjs', import.meta.url))

/** Elsewhere a pipe of which both ends are open may be one of Node's own, and does not reach the command. */
const pairs = linuxOnly('/proc, which tells whose the two ends of a pipe are')

/** How each command is begun; what it runs follows. */
const beginnings = {
  lock: 'lock data --',
  lease: 'lease --in . name --',
  exec: 'exec',
} as const

let project: Project
beforeAll(async () => {
  project = new Project()
  await project.howdah(['start'])
})
afterAll(async () => {
  await project[Symbol.asyncDispose]()
})

/** Runs a script of a shell, in which HOWDAH stands for the beginning of the command line. */
async function run(shell: 'sh' | 'bash', beginning: string, script: string): Promise<Result> {
  const howdah = `"${process.execPath}" "${bin}"`
  const text = script.replaceAll('HOWDAH', `${howdah} ${beginning}`)
  return await start(project.path, [], { by: [shell, '-c', text, 'sh'] }).result
}

describe.each(Object.entries(beginnings))(
  'what the caller has open reaches the command of %s',
  (_, beginning) => {
    test.each([
      ['a file to write', 'sh', `HOWDAH sh -c 'echo said >&3' 3>out; cat out`, 'said\n'],
      ['a file to read', 'sh', `echo said >in; HOWDAH sh -c 'cat <&7' 7<in`, 'said\n'],
      [
        'all that one digit names',
        'sh',
        `HOWDAH sh -c 'for n in 3 4 5 6 7 8 9; do eval "echo $n >&$n"; done' 3>o3 4>o4 5>o5 6>o6 7>o7 8>o8 9>o9; cat o?`,
        '3\n4\n5\n6\n7\n8\n9\n',
      ],
      ['a pipe', 'sh', `HOWDAH sh -c 'echo said >&4' 4>&1 >/dev/null | cat`, 'said\n'],
      ['process substitution', 'bash', `HOWDAH cat <(echo said)`, 'said\n'],
      [
        'many process substitutions',
        'bash',
        `HOWDAH cat <(echo a) <(echo b) <(echo c)`,
        'a\nb\nc\n',
      ],
      ['a high number', 'bash', `HOWDAH bash -c 'echo said >&200' 200>out; cat out`, 'said\n'],
      [
        'a number above all that Node marks',
        'bash',
        `HOWDAH bash -c 'echo said >&1500' 1500>out; cat out`,
        'said\n',
      ],
      [
        'a socket of systemd, with the pid of the command',
        'sh',
        `echo said >in; exec 3<in; export LISTEN_FDS=1 LISTEN_PID=$$; exec HOWDAH sh -c 'test $LISTEN_PID = $$ && cat <&3'`,
        'said\n',
      ],
    ] as const)('%s', async (_what, shell, script, stdout) => {
      if (shell === 'bash' && !hasBash) return
      expect(await run(shell, beginning, script)).toEqual({ status: 0, stdout, stderr: '' })
    })

    test('one pipe under two numbers', pairs, async () => {
      const script = `HOWDAH sh -c 'echo a >&4; echo b >&5' 4>&1 5>&1 | cat`
      expect(await run('sh', beginning, script)).toEqual({
        status: 0,
        stdout: 'a\nb\n',
        stderr: '',
      })
    })

    test("make's job server", pairs, async () => {
      const rule = `all:\n\t+@"${process.execPath}" "${bin}" ${beginning} $(MAKE) -s -f inner\n`
      writeFileSync(project.file('outer'), rule)
      writeFileSync(
        project.file('inner'),
        'all:\n\t@echo "$(MAKEFLAGS)" | grep -q jobserver && echo shared\n',
      )
      const made = await start(project.path, [], { by: ['sh', '-c', 'make -s -j2 -f outer', 'sh'] })
        .result
      expect(made).toEqual({ status: 0, stdout: 'shared\n', stderr: '' })
    })

    const openFiles = linuxOnly('/proc/self/fd')

    test(
      'nothing else reaches it, but the lock on a number that nobody uses',
      openFiles,
      async () => {
        const script = `echo >in; HOWDAH sh -c 'ls /proc/$$/fd' 5<in`
        const { stdout } = await run('sh', beginning, script)
        const numbers = stdout
          .trim()
          .split('\n')
          .map(Number)
          .filter((fd) => fd < 200)
        const others = numbers.filter((fd) => ![0, 1, 2, 5].includes(fd))
        expect(others.filter((fd) => fd < 10)).toEqual([])
        expect(others).toHaveLength(beginning === beginnings.lock ? 1 : 0)
      },
    )
  },
)

test('the locked file is not written', async () => {
  using directory = temporaryDirectory()
  writeFileSync(directory.file('data'), 'precious')
  const script = `exec 3>log; "${process.execPath}" "${bin}" lock data -- sh -c 'echo START >&3'`
  const { status } = await start(directory.path, [], { by: ['sh', '-c', script, 'sh'] }).result
  expect(status).toBe(0)
  expect(readFileSync(directory.file('data'), 'utf8')).toBe('precious')
  expect(readFileSync(directory.file('log'), 'utf8')).toBe('START\n')
})
