import { statSync } from 'node:fs'

/** The owner of the file at a path; `null` if it is unknown. */
export function ownerOf(path: string): { uid: number; gid: number } | null {
  try {
    const { uid, gid } = statSync(path)
    return { uid, gid }
  } catch {
    return null
  }
}
