import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { temporaryDirectory } from '@howdah/fixtures'
import { expect, test } from 'vitest'
import { main, processIo } from '../src/index.ts'
import { fakeIo } from './fake-io.ts'

test('a program can run the commands in itself, and read what they print', async () => {
  using directory = temporaryDirectory()
  const stdout = new PassThrough()
  const status = await main(['status', '--json', '-D', directory.file('data')], {
    ...processIo(import.meta.url, '1.0.0'),
    stdout,
    inherit: false,
  })
  const { state } = JSON.parse(await text(stdout.end())) as { state: string }
  expect([status, state]).toEqual([0, 'missing'])
})

test('what fails says why on stderr, and has a status', async () => {
  using directory = temporaryDirectory()
  const io = fakeIo({ cwd: directory.path })
  expect(await main(['url'], io)).toBe(1)
  expect(io.out()).toBe('')
  expect(io.err()).toBe(
    `howdah: there is no PostgreSQL cluster in ${directory.file('.howdah/data')}; create one, or check the path\n`,
  )
})

test.each([
  [['--help'], 0],
  [['nonsense'], 2],
  [['runtimes', 'nonsense'], 2],
  [['status', '-D', 'nul\0'], 2],
])('%j: status %i, and nothing listens any more', async (args, status) => {
  const io = fakeIo()
  expect(await main(args, io)).toBe(status)
  expect(io.signals.eventNames()).toEqual([])
  expect(io.stdout.listenerCount('error')).toBe(0)
  expect(io.exits).toEqual([])
})
