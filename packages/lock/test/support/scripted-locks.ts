import { beforeEach, vi } from 'vitest'
import type * as LoadBinding from '../../src/binding/load-binding.ts'
import { scripted, unscripted } from './scripted-binding.ts'

/** The binding of all locks of a file that imports this before it imports locks; as it is by itself before each test. */
export const hand = unscripted()

vi.mock('../../src/binding/load-binding.ts', async (original) => {
  const real = await original<typeof LoadBinding>()
  return { ...real, binding: (path: string) => scripted(real.binding(path), hand) }
})

beforeEach(() => {
  Object.assign(hand, unscripted())
})
