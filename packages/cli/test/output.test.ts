import { afterEach, describe, expect, test, vi } from 'vitest'
import { Output } from '../src/output.ts'
import { fakeIo } from './fake-io.ts'

afterEach(() => {
  vi.useRealTimers()
})

function subject(given: { quiet?: boolean; tty?: boolean; env?: NodeJS.ProcessEnv } = {}) {
  const io = fakeIo(given)
  let closed = 0
  const output = new Output(io, { quiet: given.quiet ?? false, onClosed: () => closed++ })
  return { io, output, closed: () => closed }
}

test('results go to stdout and messages to stderr', async () => {
  const { io, output } = subject()
  await output.line('a')
  await output.json({ b: 1 })
  output.message('c')
  await output.close()
  expect([io.out(), io.err()]).toEqual(['a\n{\n  "b": 1\n}\n', 'c\n'])
})

test('quiet is quiet, but for complaints', () => {
  const { io, output } = subject({ quiet: true, tty: true })
  output.message('a')
  vi.useFakeTimers()
  output.progress.show('b')
  vi.advanceTimersByTime(300)
  output.complain('c')
  expect(io.err()).toBe('c\n')
})

test('a reader who goes away is noticed, and is no error', async () => {
  const { io, output, closed } = subject()
  await output.line('a')
  io.stdout.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
  await output.line('b')
  await output.close()
  expect(closed()).toBe(1)
  expect(io.err()).toBe('')
  expect(io.stdout.listenerCount('error')).toBe(0)
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
