import { expect, test } from 'vitest'
import { describeError } from '../src/output/report-error.ts'

test.each([
  [Object.assign(new Error('a failed; do b'), { code: 'ERR_X' }), 'howdah: a failed; do b'],
  ['text', 'howdah: text'],
  [new Error('a', { cause: new Error('b') }), 'howdah: a'],
  [
    Object.assign(new Error('a'), { detail: 'd', hint: 'h\ni', where: '' }),
    'howdah: a\n    DETAIL: d\n    HINT: h\n    i',
  ],
  [Object.assign(new Error('a'), { suppressed: new Error('b') }), 'howdah: a\n    and then: b'],
  [new AggregateError([new Error('a'), new Error('b')], ''), 'howdah: a; b'],
  [
    new TypeError('x is not a function'),
    'howdah: x is not a function\n    set HOWDAH_DEBUG=1 to see where this comes from',
  ],
])('%s', (error, described) => {
  expect(describeError(error, false)).toBe(described)
})

test('the stacks, of the cause too, are for debugging', () => {
  const described = describeError(new Error('a', { cause: new Error('b') }), true)
  expect(described).toMatch(
    /^howdah: a\n    Error: a\n        at .*\n    caused by: Error: b\n        at /s,
  )
})
