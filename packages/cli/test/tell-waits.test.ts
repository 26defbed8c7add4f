import { fakeIo } from '@howdah/fixtures'
import { Output } from '@howdah/terminal'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { tellWaits } from '../src/program/tell-waits.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** A program that has begun to wait while it was stopping a server. */
function begun({ tty }: { readonly tty: boolean }) {
  const io = fakeIo({ tty })
  const output = new Output(io, { program: 'howdah', onFailure: () => undefined })
  output.progress.show('stopping')
  const ending = new AbortController()
  const holders = [{ pid: 7, command: 'node app.js' }]
  tellWaits(output, 'to be done')({ holders, over: ending.signal })
  return { io, output, end: () => ending.abort() }
}

const told = 'waiting for pid 7 (node app.js) to be done'

describe('a wait is told', () => {
  test('after a second, if nothing else can show it', () => {
    const { io } = begun({ tty: false })
    vi.advanceTimersByTime(999)
    expect(io.err()).toBe('')
    vi.advanceTimersByTime(1)
    expect(io.err()).toBe(`howdah: ${told}\n`)
  })

  test('not if it is over by then, however long the work after it takes', () => {
    const { io, end } = begun({ tty: false })
    vi.advanceTimersByTime(999)
    end()
    vi.advanceTimersByTime(60_000)
    expect(io.err()).toBe('')
  })

  test('on a terminal until it is over; then the work is shown that was interrupted', () => {
    const { io, output, end } = begun({ tty: true })
    vi.advanceTimersByTime(300)
    expect([io.err().includes(told), output.progress.text]).toEqual([true, told])
    end()
    expect(output.progress.text).toBe('stopping')
    output.progress.clear()
  })

  test('but what was shown since then stays', () => {
    const { output, end } = begun({ tty: true })
    output.progress.show('starting')
    end()
    expect(output.progress.text).toBe('starting')
    output.progress.clear()
    const { output: cleared, end: endCleared } = begun({ tty: true })
    cleared.progress.clear()
    endCleared()
    expect(cleared.progress.text).toBeNull()
  })
})
