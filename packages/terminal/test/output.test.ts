import { fakeIo } from '@howdah/fixtures'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { Output } from '../src/output.ts'

afterEach(() => {
  vi.useRealTimers()
})

function subject(given: { quiet?: boolean; tty?: boolean; env?: NodeJS.ProcessEnv } = {}) {
  const io = fakeIo(given)
  const failures: number[] = []
  const output = new Output(io, {
    program: 'program',
    quiet: given.quiet,
    onFailure: (status) => failures.push(status),
  })
  return { io, output, failures }
}

test('results go to stdout and messages to stderr', async () => {
  const { io, output } = subject()
  await output.line('a')
  await output.json({ b: 1 })
  output.message('c')
  await output.close()
  expect([io.out(), io.err()]).toEqual(['a\n{\n  "b": 1\n}\n', 'c\n'])
})

test('quiet is quiet, except for complaints', () => {
  const { io, output } = subject({ quiet: true, tty: true })
  output.message('a')
  vi.useFakeTimers()
  output.progress.show('b')
  vi.advanceTimersByTime(300)
  output.complain('c')
  expect(io.err()).toBe('c\n')
})

test.each([
  ['a reader who goes away ends the command as SIGPIPE would', 'EPIPE', 141, ''],
  [
    'a result that cannot be written is a failure, which is said once',
    'ENOSPC',
    1,
    'program: cannot write the result: write ENOSPC; have it go elsewhere\n',
  ],
])('%s', async (_, code, status, said) => {
  const { io, output, failures } = subject()
  const refuse = (_chunk: unknown, _encoding: unknown, done: (error: Error) => void) =>
    done(Object.assign(new Error(`write ${code}`), { code }))
  Object.assign(io.stdout, { _transform: refuse })
  for (let line = 0; line < 300; line++) await output.line(`${line}`)
  await output.close()
  expect(failures).toEqual([status])
  expect([output.statusAfter(0), output.statusAfter(2)]).toEqual([status, 2])
  expect(io.err()).toBe(said)
  expect(io.stdout.listenerCount('error')).toBe(0)
})

test('messages that nobody can be told are lost, and nothing else', async () => {
  const { io, output, failures } = subject()
  const refuse = (_chunk: unknown, _encoding: unknown, done: (error: Error) => void) =>
    done(new Error('write ENOSPC'))
  Object.assign(io.stderr, { _transform: refuse })
  for (const text of ['a', 'b', 'c']) output.message(text)
  await output.line('result')
  await output.close()
  expect([io.out(), failures, output.statusAfter(0)]).toEqual(['result\n', [], 0])
  expect(io.stderr.listenerCount('error')).toBe(0)
})

describe('progress', () => {
  test('is a line on a terminal that goes away', () => {
    const { io, output } = subject({ tty: true })
    vi.useFakeTimers()
    output.progress.show('starting')
    vi.advanceTimersByTime(300)
    expect(io.err()).toContain(' starting')
    output.message('done')
    expect(io.err().endsWith('\r\u001B[Kdone\n')).toBe(true)
  })

  test.each([
    ['no terminal', {}],
    ['a dumb one', { tty: true, env: { TERM: 'dumb' } }],
  ])('is nothing on %s', (_, given) => {
    const { io, output } = subject(given)
    vi.useFakeTimers()
    output.progress.show('starting')
    vi.advanceTimersByTime(300)
    output.progress.clear()
    expect(io.err()).toBe('')
  })

  test('is not shown for what is soon over', () => {
    const { io, output } = subject({ tty: true })
    vi.useFakeTimers()
    output.progress.show('starting')
    output.progress.clear()
    expect(io.err()).toBe('')
  })
})
