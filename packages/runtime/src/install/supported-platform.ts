import { unsupportedPlatform } from '../errors.ts'

/** Throws `ERR_RUNTIME_UNSUPPORTED_PLATFORM` on Windows, which is not supported. */
export function refuseWindows(): void {
  if (process.platform === 'win32') {
    throw unsupportedPlatform(
      'howdah does not run PostgreSQL',
      'Windows',
      'use it in WSL, the Windows Subsystem for Linux',
    )
  }
}
