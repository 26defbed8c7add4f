import { UnsupportedPlatformError } from '../errors.ts'

/** Throws {@link UnsupportedPlatformError} on Windows, where nothing of this has been made to work. */
export function refuseWindows(): void {
  if (process.platform === 'win32') {
    throw new UnsupportedPlatformError(
      'howdah does not run PostgreSQL',
      'Windows',
      'use it in WSL, the Windows Subsystem for Linux',
    )
  }
}
