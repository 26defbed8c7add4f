import { expect, test } from 'vitest'
import { describeServerMessage } from '../src/connection/describe-server-message.ts'

test('an error marks its place in the line of the statement', () => {
  const error = {
    severity: 'ERROR',
    message: 'column "c" does not exist',
    position: '12',
    hint: 'There is b.',
  }
  expect(`\n${describeServerMessage(error, 'select a,\n\tc from t')}\n`).toBe(`
ERROR:  column "c" does not exist
LINE 2:  c from t
         ^
HINT:  There is b.
`)
})

test('the place counts characters, not UTF-16 units', () => {
  const error = { severity: 'ERROR', message: 'm', position: '13' }
  expect(describeServerMessage(error, "select '🐘', c")).toMatch(
    /^LINE 1: select '🐘', c\n {20,21}\^$/m,
  )
})

test.each([
  [{ message: 'm' }, 'ERROR:  m'],
  [
    { severity: 'FATAL', message: 'm', detail: 'd', hint: 'h', where: 'w' },
    'FATAL:  m\nDETAIL:  d\nHINT:  h\nCONTEXT:  w',
  ],
])('%j', (error, described) => {
  expect(describeServerMessage(error, 'select 1')).toBe(described)
})
