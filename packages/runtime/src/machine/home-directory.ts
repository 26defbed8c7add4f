import { homedir } from 'node:os'
import { isAbsolute } from 'node:path'

/** The home directory by HOME or the user database; `null` if neither names one, as for a uid that nobody knows. */
export function homeDirectory(): string | null {
  try {
    const home = homedir()
    return isAbsolute(home) ? home : null
  } catch {
    return null
  }
}
