import { describe, expect, test } from 'vitest'
import { runAndDestroy, runAndStop, runAndStopIfExists } from '@howdah/coordinate'
import { FakeSubject } from './fake-subject.ts'

const runs = { runAndStop, runAndStopIfExists, runAndDestroy }
const stop = ['start', 'stop']

/** A subject that is so → entry → what comes of it, what was asked of the subject, and what it is then. */
const outcomes: {
  is: 'missing' | 'stopped' | 'running'
  cannot?: ('create' | 'start' | 'stop' | 'destroy')[]
  run: keyof typeof runs
  fails?: boolean
  gives: string
  suppressed?: string
  asked: string[]
  becomes: string
}[] = [
  {
    is: 'missing',
    run: 'runAndStop',
    gives: 'done',
    asked: ['create', ...stop],
    becomes: 'stopped',
  },
  {
    is: 'missing',
    run: 'runAndDestroy',
    gives: 'done',
    asked: ['create', 'start', 'destroy'],
    becomes: 'missing',
  },
  {
    is: 'missing',
    run: 'runAndStopIfExists',
    gives: 'ERR_COORDINATE_DOES_NOT_EXIST',
    asked: [],
    becomes: 'missing',
  },
  { is: 'stopped', run: 'runAndStop', gives: 'done', asked: stop, becomes: 'stopped' },
  { is: 'stopped', run: 'runAndStopIfExists', gives: 'done', asked: stop, becomes: 'stopped' },
  {
    is: 'stopped',
    run: 'runAndDestroy',
    gives: 'done',
    asked: ['start', 'destroy'],
    becomes: 'missing',
  },
  // Never stop what we did not start.
  { is: 'running', run: 'runAndStop', gives: 'done', asked: [], becomes: 'running' },
  { is: 'running', run: 'runAndDestroy', gives: 'done', asked: [], becomes: 'running' },
  // The action's own failure wins.
  {
    is: 'stopped',
    run: 'runAndStop',
    fails: true,
    gives: 'failed',
    asked: stop,
    becomes: 'stopped',
  },
  {
    is: 'stopped',
    run: 'runAndDestroy',
    fails: true,
    gives: 'failed',
    asked: ['start', 'destroy'],
    becomes: 'missing',
  },
  { is: 'running', run: 'runAndStop', fails: true, gives: 'failed', asked: [], becomes: 'running' },
  {
    is: 'stopped',
    cannot: ['stop'],
    run: 'runAndStop',
    gives: 'cannot stop',
    asked: stop,
    becomes: 'stopped',
  },
  {
    is: 'stopped',
    cannot: ['stop'],
    run: 'runAndStop',
    fails: true,
    gives: 'failed',
    suppressed: 'cannot stop',
    asked: stop,
    becomes: 'stopped',
  },
  {
    is: 'stopped',
    cannot: ['destroy'],
    run: 'runAndDestroy',
    fails: true,
    gives: 'failed',
    suppressed: 'cannot destroy',
    asked: ['start', 'destroy'],
    becomes: 'stopped',
  },
  {
    is: 'missing',
    cannot: ['create'],
    run: 'runAndStop',
    gives: 'cannot create',
    asked: ['create'],
    becomes: 'missing',
  },
  {
    is: 'stopped',
    cannot: ['start'],
    run: 'runAndStop',
    gives: 'cannot start',
    asked: ['start'],
    becomes: 'stopped',
  },
  {
    is: 'missing',
    cannot: ['start'],
    run: 'runAndDestroy',
    gives: 'cannot start',
    asked: ['create', 'start'],
    becomes: 'stopped',
  },
]

describe('running an action', () => {
  test.each(outcomes)(
    '$run on what is $is and cannot $cannot (the action fails: $fails) gives "$gives"',
    async ({ is, cannot = [], run, fails = false, gives, suppressed, asked, becomes }) => {
      await using subject = FakeSubject.thatIs().butCannot(...cannot)
      if (is === 'stopped') subject.alreadyExisting()
      if (is === 'running') await subject.alreadyRunning()
      const running = runs[run](subject, subject.paths, { start: undefined }, async () => {
        expect(await subject.state()).toBe('running')
        if (fails) throw new Error('failed')
        return 'done'
      })
      const outcome = await running.catch((error: unknown) => error)
      expect(nameOf(outcome)).toBe(gives)
      expect(suppressedOf(outcome)).toBe(suppressed)
      expect(subject.asked).toEqual(asked)
      // What we could not stop ourselves the watchdog stops.
      await expect.poll(() => subject.state()).toBe(becomes)
    },
  )

  test('a failure that is not an object wins without a companion', async () => {
    await using subject = FakeSubject.thatIs().alreadyExisting().butCannot('stop')
    const running = runAndStop(subject, subject.paths, { start: undefined }, () =>
      Promise.reject('just text'),
    )
    await expect(running).rejects.toBe('just text')
  })
})

function nameOf(outcome: unknown): unknown {
  if (!(outcome instanceof Error)) return outcome
  return 'code' in outcome ? outcome.code : outcome.message
}

function suppressedOf(outcome: unknown): unknown {
  if (!(outcome instanceof Error) || !('suppressed' in outcome)) return undefined
  return nameOf(outcome.suppressed)
}
