import { expect, test } from 'vitest'
import { describeError } from '../src/describe-error.ts'

test.each([
  [Object.assign(new Error('a failed; do b'), { code: 'ERR_X' }), 'program: a failed; do b'],
  ['text', 'program: text'],
  [new Error('a', { cause: new Error('b') }), 'program: a'],
  [
    Object.assign(new Error('a'), { detail: 'd', hint: 'h\ni', where: '' }),
    'program: a\n    DETAIL: d\n    HINT: h\n    i',
  ],
  [Object.assign(new Error('a'), { suppressed: new Error('b') }), 'program: a\n    and then: b'],
  [new AggregateError([new Error('a'), new Error('b')], ''), 'program: a; b'],
  [new TypeError('x is not a function'), 'program: x is not a function\n    set DEBUG=1'],
])('%s', (error, described) => {
  expect(describeError(error, { program: 'program', hint: 'set DEBUG=1' })).toBe(described)
})

test('the stacks, of the cause too, are for debugging', () => {
  const described = describeError(new Error('a', { cause: new Error('b') }), {
    program: 'program',
    stack: true,
  })
  expect(described).toMatch(
    /^program: a\n    Error: a\n        at .*\n    caused by: Error: b\n        at /s,
  )
})
