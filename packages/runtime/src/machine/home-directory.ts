import { homedir } from 'node:os'
import { isAbsolute } from 'node:path'

/** The home directory by HOME or the user database; `null` if neither names one, for example for an unknown uid. */
export function homeDirectory(): string | null {
  try {
    const home = homedir()
    return isAbsolute(home) ? home : null
  } catch {
    return null
  }
}
