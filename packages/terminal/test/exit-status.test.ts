import { expect, test } from 'vitest'
import { statusOfSignal } from '../src/exit-status.ts'

test.each([
  ['SIGHUP', 129],
  ['SIGINT', 130],
  ['SIGKILL', 137],
  ['SIGTERM', 143],
] as const)('%s means %i', (signal, status) => {
  expect(statusOfSignal(signal)).toBe(status)
})
