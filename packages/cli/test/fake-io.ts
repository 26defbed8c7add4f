import { fakeIo as fakeProcessIo, type FakeIo } from '@howdah/fixtures'
import type { Io } from '../src/io.ts'

/** An {@link Io} that is not a process. */
export function fakeIo(...given: Parameters<typeof fakeProcessIo>): FakeIo & Io {
  return { ...fakeProcessIo(...given), from: import.meta.url, version: '1.2.3' }
}
