import { closeSync, openSync } from 'node:fs'
import { expect, it } from 'vitest'
import { stdioOf } from '@howdah/durable'

it('gives a program the descriptors that are still open, and none that was closed meanwhile', () => {
  const [kept, closed] = [openSync('/dev/null', 'r'), openSync('/dev/null', 'r')]
  closeSync(closed)
  try {
    const stdio = stdioOf([kept, closed])
    expect(stdio[kept - 3]).toBe(kept)
    expect(stdio.filter((one) => one !== 'ignore')).toEqual([kept])
  } finally {
    closeSync(kept)
  }
})
