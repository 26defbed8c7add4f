import { expect, test } from 'vitest'
import { describeServerError } from '../src/describe-server-error.ts'

test('an error marks its place in the line of the statement', () => {
  const error = {
    severity: 'ERROR',
    message: 'column "c" does not exist',
    position: '12',
    hint: 'There is b.',
  }
  expect(`\n${describeServerError(error, 'select a,\n\tc from t')}\n`).toBe(`
ERROR:  column "c" does not exist
LINE 2:  c from t
         ^
HINT:  There is b.
`)
})

test('the place counts characters, not UTF-16 units', () => {
  const error = { severity: 'ERROR', message: 'm', position: '13' }
  expect(describeServerError(error, "select '🐘', c")).toMatch(
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
  expect(describeServerError(error, 'select 1')).toBe(described)
})
