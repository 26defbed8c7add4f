import { EventEmitter } from 'node:events'
import { fakeIo } from '@howdah/fixtures'
import { describe, expect, test, vi } from 'vitest'
import { Interruption, type PassedSignal } from '../src/interruption.ts'

function subject() {
  const io = fakeIo()
  const told: string[] = []
  const interruption = new Interruption(io, () => told.push('stopping…'))
  return {
    io,
    interruption,
    told,
    send: (...signals: PassedSignal[]) => {
      for (const signal of signals) io.signals.emit(signal, signal)
    },
  }
}

describe('before a child runs', () => {
  test.each([
    [['SIGINT'], 130, []],
    [['SIGTERM'], 143, []],
    [['SIGHUP'], 129, []],
    [['SIGQUIT'], 131, []],
    [['SIGUSR1'], 138, []],
    [['SIGUSR2', 'SIGUSR2'], 140, []],
    [['SIGCONT', 'SIGWINCH', 'SIGUSR2'], 140, []],
    [['SIGTERM', 'SIGQUIT'], 143, [143]],
    [['SIGTERM', 'SIGINT'], 143, []],
    [['SIGINT', 'SIGINT'], 130, [130]],
    [['SIGTERM', 'SIGINT', 'SIGINT'], 143, [143]],
  ] as const)(
    '%j aborts, with status %i, and ends the process with %j',
    (signals, status, exits) => {
      const { interruption, send, io } = subject()
      expect(interruption.status).toBeNull()
      expect(interruption.signal.aborted).toBe(false)
      send(...signals)
      expect(interruption.signal.aborted).toBe(true)
      expect(interruption.status).toBe(status)
      expect(io.exits).toEqual(exits)
    },
  )
})

test('what does not end by itself after a signal is ended', () => {
  vi.useFakeTimers()
  const { send, io } = subject()
  send('SIGTERM')
  vi.advanceTimersByTime(4999)
  expect(io.exits).toEqual([])
  vi.advanceTimersByTime(1)
  expect(io.exits).toEqual([143])
  vi.useRealTimers()
})

describe('while a child runs', () => {
  test('signals are handed on, all of them, and nothing is aborted', async () => {
    const { interruption, send, io } = subject()
    const received: string[] = []
    const all = ['SIGINT', 'SIGINT', 'SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGQUIT'] as const
    await interruption.during(
      (signal) => received.push(signal),
      async () => send(...all),
    )
    expect(received).toEqual(all)
    expect(interruption.signal.aborted).toBe(false)
    expect(io.exits).toEqual([])
  })
})

describe('after a child', () => {
  test.each([
    ['without a Ctrl-C, nothing is said', [], [], [], []],
    ['after one Ctrl-C, it is said that it goes on', ['SIGINT'], [], [], ['stopping…']],
    ['one Ctrl-C while tidying: the same', [], ['SIGINT'], [], ['stopping…']],
    ['two Ctrl-C while tidying skip it', [], ['SIGINT', 'SIGINT'], [7], ['stopping…']],
    ['one before and one while tidying skip it', ['SIGINT'], ['SIGINT'], [7], ['stopping…']],
    ['two before skip it at once', ['SIGINT', 'SIGINT'], [], [7], []],
    ['other signals change nothing', ['SIGTERM', 'SIGUSR2'], ['SIGHUP', 'SIGUSR1'], [], []],
    ['nor do those that tell something', ['SIGCONT'], ['SIGWINCH', 'SIGCONT'], [], []],
    ['a SIGQUIT skips it', [], ['SIGQUIT'], [7], []],
  ] as const)('%s', async (_, before, meanwhile, exits, said) => {
    const { interruption, send, io, told } = subject()
    await interruption.during(
      () => undefined,
      async () => send(...before),
    )
    await interruption.tidy(7, async () => send(...meanwhile))
    expect(io.exits).toEqual(exits)
    expect(told).toEqual(said)
    expect(interruption.signal.aborted).toBe(false)
  })

  test('a Ctrl-C that was a key of the child does not count', async () => {
    const { interruption, send, io } = subject()
    await interruption.during(
      () => undefined,
      async () => send('SIGINT', 'SIGINT'),
      { count: false },
    )
    await interruption.tidy(7, async () => send('SIGINT'))
    expect(io.exits).toEqual([])
  })
})

test('what has no use any more does not listen', () => {
  const { interruption, io } = subject()
  expect(listeners(io.signals)).toBe(8)
  interruption[Symbol.dispose]()
  expect(listeners(io.signals)).toBe(0)
})

function listeners(emitter: EventEmitter): number {
  return emitter.eventNames().reduce((sum, name) => sum + emitter.listenerCount(name), 0)
}
