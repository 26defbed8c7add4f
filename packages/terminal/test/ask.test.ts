import { fakeIo } from '@howdah/fixtures'
import { expect, test } from 'vitest'
import { ask } from '../src/ask.ts'
import { Interruption } from '../src/interruption.ts'
import { Output } from '../src/output.ts'

function subject(given: { tty: boolean }) {
  const io = fakeIo(given)
  const interruption = new Interruption(io, () => undefined)
  const output = new Output(io, { program: 'program', onFailure: () => undefined })
  return { io, interruption, output, [Symbol.dispose]: () => interruption[Symbol.dispose]() }
}

test.each([
  ['y\n', true],
  ['Yes\r\n', true],
  [' y ', true],
  ['n\n', false],
  ['\n', false],
  ['yesterday\n', false],
  ['', false],
])('%j, and the end of the input: %s', async (typed, answer) => {
  using program = subject({ tty: true })
  program.io.stdin.end(typed)
  expect(await ask(program, 'really?')).toBe(answer)
  expect(program.io.err()).toBe(`really? [y/N] ${typed === '' ? '\n' : ''}`)
})

test('without a terminal nobody is asked', async () => {
  using program = subject({ tty: false })
  program.io.stdin.end('y\n')
  expect(await ask(program, 'really?')).toBeNull()
  expect(program.io.err()).toBe('')
})

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('a %s ends the wait for an answer', async (signal, status) => {
  using program = subject({ tty: true })
  const asked = ask(program, 'really?')
  program.io.signals.emit(signal, signal)
  await expect(asked).rejects.toThrow(/abort/)
  expect(program.interruption.status).toBe(status)
  expect(program.io.err()).toBe('really? [y/N] \n')
})
