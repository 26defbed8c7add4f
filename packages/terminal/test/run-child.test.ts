import { writeFileSync } from 'node:fs'
import { fakeIo, temporaryDirectory } from '@howdah/fixtures'
import { expect, test } from 'vitest'
import { Interruption } from '../src/interruption.ts'
import { runChild } from '../src/run-child.ts'

async function run(command: string, ...args: string[]) {
  using directory = temporaryDirectory()
  writeFileSync(directory.file('text'), '')
  const io = fakeIo({ cwd: directory.path })
  io.stdin.end('given')
  using interruption = new Interruption(io, () => undefined)
  const failures: string[] = []
  const env = { PATH: process.env['PATH'] ?? '' }
  const onFailure = (message: string) => failures.push(message)
  const status = await runChild(io, interruption, { command, args, env, onFailure })
  return { status, out: io.out(), err: io.err(), failures }
}

test.each([
  [
    'sh',
    ['-c', 'cat; echo said >&2; exit 3'],
    { status: 3, out: 'given', err: 'said\n', failures: [] },
  ],
  ['sh', ['-c', 'env; exec kill -KILL $$'], { status: 137, failures: [] }],
  ['true', [], { status: 0, out: '' }],
  ['no-such-command', [], { status: 127, failures: ['no-such-command: command not found'] }],
  ['./text', [], { status: 126, failures: ['./text: cannot be run: spawn ./text EACCES'] }],
  ['a\0b', [], { status: 126 }],
] as const)('%s %j, with streams that are no descriptors', async (command, args, expected) => {
  expect(await run(command, ...args)).toMatchObject(expected)
})

test('nothing runs after a signal', async () => {
  const io = fakeIo({ cwd: '/' })
  using interruption = new Interruption(io, () => undefined)
  io.signals.emit('SIGTERM', 'SIGTERM')
  const request = { command: 'true', args: [], env: {}, onFailure: () => undefined }
  await expect(runChild(io, interruption, request)).rejects.toThrow('aborted')
})
