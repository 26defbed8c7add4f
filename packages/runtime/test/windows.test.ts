import { afterEach, beforeEach, expect, test } from 'vitest'
import * as runtime from '../src/index.ts'

const { platform } = process

beforeEach(() => void Object.defineProperty(process, 'platform', { value: 'win32' }))
afterEach(() => void Object.defineProperty(process, 'platform', { value: platform }))

const actions: [string, () => Promise<unknown>][] = [
  ['Runtime.at', () => runtime.Runtime.at('C:\\PostgreSQL\\bin')],
  ['select', () => runtime.defaultStrategy().select(runtime.anything)],
  ['fallback', () => runtime.defaultStrategy().fallback()],
  ['runtimes', () => runtime.defaultStrategy().runtimes()],
  ['diagnose', () => runtime.defaultStrategy().diagnose()],
  ['installRuntime', () => runtime.installRuntime(16)],
  ['removeRuntime', () => runtime.removeRuntime(16)],
  ['availableVersions', () => runtime.availableVersions()],
]

test.each(actions)('on Windows, %s gives an error that says so', async (_, action) => {
  await expect(action()).rejects.toMatchObject({
    code: 'ERR_RUNTIME_UNSUPPORTED_PLATFORM',
    message:
      'howdah does not run PostgreSQL on Windows; use it in WSL, the Windows Subsystem for Linux',
  })
})
